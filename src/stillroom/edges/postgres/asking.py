"""What only a server can tell about two schemas: whether two texts are the same view, and what can be cast."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg2 import NotSupportedError, ProgrammingError, errors, sql

from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.schema_objects import Key, Schema


def rewrite_views(connection: Connection, schema: Schema, keys: Iterable[Key]) -> Schema:
    """Let this server write the definitions of another server's views: majors put the same view into other words.

    Args:
        connection: In autocommit, to a scratch database with the views' tables.
        schema: The other server's.
        keys: The views; one that cannot be made here keeps its words.
    """
    for key in keys:
        statement = f"create temporary view stillroom_try as {schema.objects[key].facets['definition']}"
        with translated("comparing the views"), connection.cursor() as cursor:
            cursor.execute("begin; set local search_path = ''")
            try:
                cursor.execute(statement)
                cursor.execute("select pg_catalog.pg_get_viewdef('pg_temp.stillroom_try'::regclass)")
                row = cursor.fetchone()
                assert row is not None
                schema = schema.with_facets(key, {"definition": row[0]})
            except (ProgrammingError, NotSupportedError):
                continue
            finally:
                cursor.execute("rollback")
    return schema


def find_uncastable(connection: Connection, pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Pick the pairs of types where no cast leads from the first to the second; an unknown type is given the benefit.

    Args:
        connection: In autocommit.
        pairs: Types as the server writes them on an empty search path.
    """
    found = set()
    with translated("looking for casts"), connection.cursor() as cursor:
        for before, after in pairs:
            try:
                # Types as the server wrote them: names with dots, brackets and quotes of its own.
                cursor.execute(sql.SQL("select null::{}::{}").format(sql.SQL(before), sql.SQL(after)))
            except errors.CannotCoerce:
                found.add((before, after))
            except ProgrammingError:
                continue
    return frozenset(found)
