"""Drop schemas and put their surroundings back, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

from stillroom.edges.postgres.batches import drop_in_batches
from stillroom.edges.postgres.emptying import empty_schema, may_drop
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.outside import read_outside, require_nothing_outside
from stillroom.edges.postgres.surroundings import Surroundings, find_unrestorable, put_back, read_surroundings
from stillroom.edges.seams import seam
from stillroom.errors import DatabaseError, RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor


@dataclass(frozen=True)
class Reset:
    """What was dropped and put back.

    Args:
        schemas: The schemas.
        extensions: Put back, with their versions.
        taken: What hung on them in other schemas, and went along.
        batches: How many transactions dropped tables before the last one; 0 for the ordinary case.
        emptied: Schemas that this role could not make anew as they were: emptied and not dropped; their extensions stayed.
        why_emptied: The reasons, in words.
    """

    schemas: tuple[str, ...]
    extensions: tuple[str, ...]
    taken: tuple[str, ...]
    batches: int
    emptied: tuple[str, ...] = ()
    why_emptied: tuple[str, ...] = ()


def reset_schemas(
    connection: Connection, schemas: tuple[str, ...], *, allows_outside: bool, lock_timeout_ms: int
) -> Reset:
    """Drop the schemas, make them anew, and put owner, grants, default privileges, comment and extensions back.

    A schema that this role could not make anew as it was is emptied instead.

    Args:
        connection: In autocommit; it holds the migration lock.
        schemas: Those that exist are dropped; the others are left out.
        allows_outside: Take along what hangs on them in other schemas.
        lock_timeout_ms: Longest wait for a table, in milliseconds.

    Raises:
        RefusedError: Something would not come back as it was, or hangs on them elsewhere; nothing was touched.
        DatabaseError: A session holds a table (SQLSTATE 55P03), or the server refused.
    """
    with translated("resetting the database"), connection.cursor() as cursor:
        cursor.execute("select pg_catalog.set_config('lock_timeout', %s, false)", (f"{lock_timeout_ms}ms",))
        found = [each for each in (read_surroundings(cursor, schema) for schema in schemas) if each is not None]
        kept = {each.schema: why for each in found if (why := _why_kept(cursor, each))}
        batches = drop_in_batches(cursor, schemas, allows_outside=allows_outside)
        cursor.execute("begin")
        try:
            taken = _drop_and_put_back(cursor, found, frozenset(kept), allows_outside=allows_outside)
            seam("schemas dropped and put back")
            cursor.execute("commit")
            seam("reset committed")
        except BaseException:
            if not connection.closed:
                cursor.execute("rollback")
            raise
    extensions = tuple(f"{one.name} {one.version}" for each in found for one in each.extensions)
    reasons = tuple(dict.fromkeys(why for each in kept.values() for why in each))
    return Reset(tuple(each.schema for each in found), extensions, taken, batches, tuple(sorted(kept)), reasons)


def _why_kept(cursor: Cursor, found: Surroundings) -> list[str]:
    """Say why this role could not drop a schema and make it anew as it was; nothing when it could."""
    if not may_drop(cursor, found.owner):
        return ["it belongs to somebody else"]
    return find_unrestorable(cursor, found)


def _drop_and_put_back(
    cursor: Cursor, found: list[Surroundings], kept: frozenset[str], *, allows_outside: bool
) -> tuple[str, ...]:
    schemas = [each.schema for each in found]
    before = read_outside(cursor, schemas)
    for each in found:
        if each.schema in kept:
            empty_schema(cursor, each.schema)
        else:
            cursor.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(each.schema)))
    taken = tuple(sorted(before - read_outside(cursor, schemas)))
    require_nothing_outside(taken, allows_outside=allows_outside)
    for each in found:
        if each.schema not in kept:
            put_back(cursor, each)
    for each in found:
        if read_surroundings(cursor, each.schema) != each:
            raise RefusedError(
                f"schema {each.schema} would not come back as it was; nothing was touched",
                hint="run it as a superuser, or reset by hand",
            )
    return taken


def is_blocked(error: DatabaseError) -> bool:
    """Tell whether a reset failed because a session holds a table."""
    return "(55P03)" in error.message
