"""Indexes that a failed concurrent build left behind: they are there, cost every write, and serve no query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# Those that somebody else is building right now are invalid until they are ready; where the server hides which ones
# they are, nothing new is held against us.
_INVALID = """
select i.indexrelid::bigint, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname::text, n.nspname::text, t.relname::text
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
join pg_class t on t.oid = i.indrelid
where not i.indisvalid and c.relkind = 'i' and n.nspname::text !~ '^pg_(catalog|toast)'::text order by 2
"""
_OTHERS = """
select pg_catalog.array_agg(index_relid::bigint), pg_catalog.bool_or(index_relid is null)
from pg_stat_progress_create_index where pid <> pg_catalog.pg_backend_pid() and datname = pg_catalog.current_database()
"""


def read_invalid(connection: Connection) -> frozenset[int]:
    """Read which indexes are invalid now, by their identities.

    Raises:
        psycopg2.Error: The server refused, or the connection is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(_INVALID)
        return frozenset(row[0] for row in cursor.fetchall())


def find_invalid_indexes(
    connection: Connection,
    *,
    before: frozenset[int],
    named: Iterable[tuple[str, str]],
    guarded: Iterable[str] = (),
) -> tuple[str, ...]:
    """Pick the invalid indexes that are new, and those that were named although they were there.

    Args:
        connection: On which the step ran.
        before: Those that were invalid before it.
        named: Indexes that were created, and their tables; a table may have a schema before a dot.
        guarded: Names that `IF NOT EXISTS` passes over, whatever table has the index of that name.

    Returns:
        Each as SQL names it, with its schema.

    Raises:
        psycopg2.Error: The server refused, or the connection is lost.
    """
    wanted, passed_over = set(named), set(guarded)
    with connection.cursor() as cursor:
        cursor.execute(_INVALID)
        found = cursor.fetchall()
        if not found:
            return ()
        cursor.execute("select pg_catalog.current_schemas(false)::text[]")
        (path,) = cursor.fetchone() or ([],)
        cursor.execute(_OTHERS)
        building, is_hidden = cursor.fetchone() or (None, None)
    others = set(building or ())

    def is_named(name: str, schema: str, table: str) -> bool:
        if (name, f"{schema}.{table}") in wanted:
            return True
        return schema in path and ((name, table) in wanted or name in passed_over)

    return tuple(
        shown
        for oid, shown, name, schema, table in found
        if is_named(name, schema, table) or (oid not in before and oid not in others and not is_hidden)
    )
