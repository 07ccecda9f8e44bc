"""What pg_dump and pg_restore copy right now, as the server sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import connection as Connection

SPARED = 10  # of max_connections, for the programs and for everybody else
CAN_SPARE = """
select r.rolconnlimit = -1 and d.datconnlimit = -1
  and (select pg_catalog.count(*) from pg_stat_activity) < pg_catalog.current_setting('max_connections')::bigint - %s::bigint
from pg_roles r, pg_database d where r.rolname = current_user and d.datname = pg_catalog.current_database()
"""
# The table itself is held, so that asking for its size waits for nobody; of its TOAST table the last count must do.
SIZE = """
select coalesce(pg_catalog.sum(pg_catalog.pg_relation_size(c.oid::regclass)
    + coalesce(t.relpages, 0)::bigint * pg_catalog.current_setting('block_size')::bigint), 0::numeric)::bigint
from pg_class c left join pg_class t on t.oid = c.reltoastrelid where c.oid = any(%s::oid[])
"""
COPIES = """
select p.pid, n.nspname::text, c.relname::text, p.bytes_processed
from pg_stat_progress_copy p join pg_stat_activity a on a.pid = p.pid
  join pg_class c on c.oid = p.relid join pg_namespace n on n.oid = c.relnamespace
where p.datname = pg_catalog.current_database() and a.application_name = %s and a.usename = current_user
order by 2, 3
"""


@dataclass(frozen=True)
class TableCopy:
    """A table that is copied right now.

    Args:
        pid: The session that does it.
        table: With its schema.
        size_bytes: How much of it has been copied, as text.
    """

    pid: int
    table: str
    size_bytes: int


def can_spare_connection(connection: Connection) -> bool:
    """Tell whether one more connection takes no place from anybody: neither role nor database has a limit, the server has room.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking for a free connection"), connection.cursor() as cursor:
        cursor.execute(CAN_SPARE, (SPARED,))
        row = cursor.fetchone()
    return bool(row and row[0])


def read_size(connection: Connection, oids: Sequence[int]) -> int:
    """Estimate how many bytes tables hold; the transaction that is open holds them.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking at the sizes of tables"), connection.cursor() as cursor:
        cursor.execute(SIZE, (list(oids),))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def read_copies(connection: Connection, application: str) -> tuple[TableCopy, ...]:
    """List what the programs of that name copy in the connection's database; other runs of the same role count as well.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking how far the copying is"), connection.cursor() as cursor:
        cursor.execute(COPIES, (application,))
        return tuple(TableCopy(pid, f"{schema}.{name}", size) for pid, schema, name, size in cursor.fetchall())
