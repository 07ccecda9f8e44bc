"""Indexes that a failed concurrent build left behind: they are there, cost every write, and serve no query."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

_INVALID = """
select format('%%I.%%I', n.nspname, c.relname) from pg_index i join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and c.relkind = 'i' and c.relname = any(%s) and n.nspname !~ '^pg_' order by 1
"""


def find_invalid_indexes(connection: Connection, names: frozenset[str]) -> tuple[str, ...]:
    """Pick those of the named indexes that are not valid; each as SQL names it, with its schema.

    Raises:
        psycopg2.Error: The server refused, or the connection is lost.
    """
    if not names:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_INVALID, (sorted(names),))
        return tuple(name for (name,) in cursor.fetchall())
