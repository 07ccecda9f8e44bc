"""Which tables and views are there, extensions' own left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.edges.postgres.current import pin_search_path
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# What would stand in the way of a CREATE TABLE.
TABLES = """
select coalesce(pg_catalog.current_schema(), 'public'),
       (select coalesce(pg_catalog.array_agg(n.nspname::text || '.'::text || c.relname::text), '{}')
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname::text !~ '^pg_'::text and n.nspname not in ('information_schema', 'stillroom') and c.relkind in ('r', 'p', 'v', 'm', 'f')
          and c.relname <> %s
          and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e'))
"""


@dataclass(frozen=True)
class Tables:
    """The tables and views of a database.

    Args:
        schema: Where a name without a schema is created.
        names: Each as "schema.table".
    """

    schema: str
    names: frozenset[str]


def read_tables(connection: Connection, *, version_table: str, search_path: str | None) -> Tables:
    """List the tables and views, our own schema and the version table left out.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking for tables"), connection.cursor() as cursor:
        cursor.execute("begin read only")
        try:
            pin_search_path(cursor, search_path, is_local=True)
            cursor.execute(TABLES, (version_table,))
            row = cursor.fetchone()
        finally:
            if not connection.closed:
                cursor.execute("rollback")
    assert row is not None
    return Tables(row[0], frozenset(row[1]))
