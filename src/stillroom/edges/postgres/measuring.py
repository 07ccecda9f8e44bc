"""What a transaction has done so far, asked on its own connection: locks, new files of tables, changed rows, WAL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.core.rehearsal import Rewrite, TouchedRows
from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

_TABLES = """
select c.oid::bigint, pg_catalog.format('%%I.%%I', n.nspname, c.relname), c.relfilenode::bigint
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'm', 'f', 'v') and n.nspname::text !~ '^pg_'::text
  and n.nspname::text <> all (array['information_schema', 'stillroom']::text[]) and c.relname::text <> %s::text
"""
_FOREIGN = """
select c.relname::text, pg_catalog.concat(n.nspname::text, '.'::text, c.relname::text)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind = 'f'
"""
_LOCKS = """
select l.relation::bigint, l.mode::text from pg_catalog.pg_locks l
where l.pid = %s::integer and l.locktype = 'relation'::text and l.granted and l.database <> 0::oid
"""
_FILES = (
    "select c.oid::bigint, c.relfilenode::bigint from pg_catalog.pg_class c where c.oid::bigint = any(%s::bigint[])"
)
_SIZES = """
select c.oid::bigint, pg_catalog.pg_table_size(c.oid::regclass)::bigint from pg_catalog.pg_class c where c.oid::bigint = any(%s::bigint[])
"""
_ROWS = """
select pg_catalog.format('%I.%I', s.schemaname, s.relname), s.n_tup_ins::bigint, s.n_tup_upd::bigint, s.n_tup_del::bigint
from pg_catalog.pg_stat_xact_user_tables s
where s.schemaname::text <> 'stillroom'::text and (s.n_tup_ins > 0::bigint or s.n_tup_upd > 0::bigint or s.n_tup_del > 0::bigint)
"""
_USED = """
select coalesce((select d.temp_bytes::bigint from pg_catalog.pg_stat_database d where d.datname = pg_catalog.current_database()), 0::bigint),
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0'::pg_lsn)::bigint
"""
_NOT_VALID = """
select pg_catalog.format('%I on %I.%I', o.conname, n.nspname, c.relname) from pg_catalog.pg_constraint o
join pg_catalog.pg_class c on c.oid = o.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not o.convalidated order by 1
"""
_INVALID = """
select pg_catalog.format('%I.%I', n.nspname, c.relname) from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where not i.indisvalid and c.relkind = 'i' order by 1
"""
FORCES_FLUSH = 150000


@dataclass(frozen=True)
class Used:
    """What a server has written until now, in bytes: temporary files of the database, WAL of all."""

    temp_bytes: int
    wal_bytes: int

    def since(self, before: Used) -> Used:
        """What came after an earlier reading."""
        return Used(max(self.temp_bytes - before.temp_bytes, 0), max(self.wal_bytes - before.wal_bytes, 0))


@dataclass(frozen=True)
class Unfinished:
    """What is not as it should be in a schema: constraints NOT VALID, and invalid indexes."""

    not_validated: frozenset[str]
    invalid_indexes: frozenset[str]


@dataclass(frozen=True)
class Table:
    """One table: its name as SQL writes it, and the number of its file."""

    name: str
    file: int


def read_known(cursor: Cursor, version_table: str) -> dict[int, Table]:
    """Read which tables and views there are, by identity; ours and the version table left out.

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute(_TABLES, (version_table,))
    return {oid: Table(name, file) for oid, name, file in cursor.fetchall()}


def read_foreign(connection: Connection) -> frozenset[str]:
    """Read the names of the foreign tables, with and without their schemas.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking for foreign tables"), connection.cursor() as cursor:
        cursor.execute(_FOREIGN)
        return frozenset(name for row in cursor.fetchall() for name in row)


def read_locks(cursor: Cursor, pid: int) -> list[tuple[int, str]]:
    """Read which relations a session has locked, and how.

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute(_LOCKS, (pid,))
    return cursor.fetchall()


def find_rewritten(cursor: Cursor, known: dict[int, Table], among: Iterable[int]) -> list[Rewrite]:
    """Find the tables whose file is another one than before, and keep that in known.

    Args:
        cursor: Of the session that did it.
        known: The tables with the files they had.
        among: The only ones to look at; the file of a table changes under its strongest lock alone.

    Raises:
        psycopg2.Error: The server refused.
    """
    wanted = [oid for oid in among if oid in known]
    if not wanted:
        return []
    cursor.execute(_FILES, (wanted,))
    changed = {oid: file for oid, file in cursor.fetchall() if known[oid].file not in (0, file)}
    if not changed:
        return []
    cursor.execute(_SIZES, (list(changed),))
    sizes = dict(cursor.fetchall())
    for oid, file in changed.items():
        known[oid] = Table(known[oid].name, file)
    return [Rewrite(known[oid].name, sizes.get(oid, 0)) for oid in changed]


def read_rows(cursor: Cursor) -> dict[str, TouchedRows]:
    """Read how many rows the session has changed by table; what its last transactions changed may be in it.

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute(_ROWS)
    return {row[0]: TouchedRows(*row) for row in cursor.fetchall()}


def rows_since(before: Mapping[str, TouchedRows], now: Mapping[str, TouchedRows]) -> list[TouchedRows]:
    """Subtract an earlier reading; where the server has counted anew, nothing is to be subtracted."""
    found = []
    for name, after in now.items():
        was = before.get(name, TouchedRows(name, 0, 0, 0))
        numbers = (after.inserted - was.inserted, after.updated - was.updated, after.deleted - was.deleted)
        each = after if min(numbers) < 0 else TouchedRows(name, *numbers)
        found += [each] if each.count else []
    return found


def let_count(cursor: Cursor, server_version: int) -> None:
    """Ask the session to hand in its numbers at the end of the transaction, and not when it has time.

    Raises:
        psycopg2.Error: The server refused.
    """
    if server_version >= FORCES_FLUSH:
        cursor.execute("select pg_catalog.pg_stat_force_next_flush()")


def read_used(connection: Connection) -> Used:
    """Read what was written until now.

    Raises:
        psycopg2.Error: The server refused.
    """
    with connection.cursor() as cursor:
        cursor.execute(_USED)
        row = cursor.fetchone()
    assert row is not None
    return Used(*row)


def gather_statistics(connection: Connection) -> None:
    """Gather what the planner knows of the original and of no copy; a signal cancels it.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("gathering statistics"), cancelled_by_signals(connection), connection.cursor() as cursor:
        cursor.execute("analyze")


def read_unfinished(connection: Connection) -> Unfinished:
    """Read which constraints are not validated, and which indexes are invalid.

    Raises:
        psycopg2.Error: The server refused.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NOT_VALID)
        constraints = frozenset(name for (name,) in cursor.fetchall())
        cursor.execute(_INVALID)
        return Unfinished(constraints, frozenset(name for (name,) in cursor.fetchall()))
