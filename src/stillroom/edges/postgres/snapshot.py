"""The moment that a backup is of: every table held, then the snapshot, exported for pg_dump and counted from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.core.lock_slots import HINT as SLOTS_HINT
from stillroom.core.lock_slots import Slots, suggest
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.rows import settle
from stillroom.edges.postgres.time_limits import lift
from stillroom.errors import DatabaseError, ToolError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

LISTED = 50
TRIES = 3  # tables may come and go between listing and locking
BATCH = 500
TABLES = """
select c.oid, n.nspname, c.relname, c.relkind = 'r',
       pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_table_privilege(c.oid, 'select')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't'
  and n.nspname <> 'information_schema' and n.nspname::text !~ '^pg_'::text
  and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
"""
# What pg_dump reads besides the tables.
UNREADABLE = """
select pg_catalog.format('%%I.%%I'::text, n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname::text !~ '^pg_'::text and (%(all)s or n.nspname::text = any(%(schemas)s::text[]))
  and not (pg_catalog.has_schema_privilege(n.oid, 'usage') and pg_catalog.has_sequence_privilege(c.oid, 'select'))
union all
select pg_catalog.format('%%I.%%I (row security hides rows of it)'::text, n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname::text !~ '^pg_'::text
  and (%(all)s or n.nspname::text = any(%(schemas)s::text[])) and pg_catalog.row_security_active(c.oid)
union all
select pg_catalog.format('large object %%s'::text, m.oid) from pg_largeobject_metadata m
where %(all)s and not pg_catalog.pg_has_role(m.lomowner, 'usage') and not exists (
  select from pg_catalog.aclexplode(m.lomacl) a
  where a.privilege_type = 'SELECT' and (a.grantee = 0::oid or pg_catalog.pg_has_role(a.grantee, 'usage')))
order by 1
"""
# Sequences are locked as well, when their values are read.
SLOTS = """
select pg_catalog.current_setting('max_locks_per_transaction')::int, pg_catalog.current_setting('max_connections')::int,
       pg_catalog.current_setting('max_prepared_transactions')::int,
       (select pg_catalog.count(*) from pg_class where relkind in ('r', 'p', 'S') and relnamespace <> 'pg_catalog'::regnamespace::oid)
"""
BLOCKERS = """
select distinct l.relation::regclass::text, l.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, '')
from pg_locks l left join pg_stat_activity a on a.pid = l.pid
where l.mode = 'AccessExclusiveLock' and l.granted and l.relation = any(%s::oid[])
  and l.database = (select oid from pg_database where datname = pg_catalog.current_database())
order by 1, 2
"""


@dataclass(frozen=True)
class Table:
    """A table that pg_dump will read.

    Args:
        oid: Its number in the catalog.
        schema: Its schema.
        name: Its name.
        has_rows: It holds rows itself, unlike a partitioned table.
        is_readable: The role may read it.
    """

    oid: int
    schema: str
    name: str
    has_rows: bool
    is_readable: bool


@dataclass(frozen=True)
class Snapshot:
    """An exported snapshot and the tables held for it.

    Args:
        token: What pg_dump takes it by.
        tables: All that are held.
        size_bytes: Of the database.
        has_large_objects: There are some.
        lock_slots: A `max_locks_per_transaction` that suffices where the server's own does not.
    """

    token: str
    tables: tuple[Table, ...]
    size_bytes: int
    has_large_objects: bool
    lock_slots: int


@contextmanager
def exported_snapshot(
    connection: Connection, *, lock_wait_ms: int, schemas: tuple[str, ...] = ()
) -> Iterator[Snapshot]:
    """Hold all tables, then export a snapshot; both end with the block.

    In the other order a TRUNCATE in between leaves a dump without rows, exit 0.

    Args:
        connection: In autocommit; nothing open on it.
        lock_wait_ms: Longest wait for one table.
        schemas: Only what is in these; none for the whole database.

    Raises:
        DatabaseError: The role may not read a table, or the server failed.
        ToolError: A table is held by another session; it is named. Or the server has fewer lock slots than tables.
    """
    with connection.cursor() as cursor:
        try:
            with translated("taking the backup's snapshot"):
                snapshot = _take(cursor, lock_wait_ms, schemas)
            yield snapshot
        except DatabaseError as error:
            if connection.closed or not _lacks_slots(error.__context__):
                raise
            raise _too_few_slots(cursor) from None
        finally:
            if not connection.closed:
                with translated("closing the backup's snapshot"):
                    cursor.execute("rollback")


def _take(cursor: Cursor, lock_wait_ms: int, schemas: tuple[str, ...]) -> Snapshot:
    for _ in range(TRIES):
        tables = _list_within(cursor, schemas)
        _require_readable(cursor, tables, schemas)
        lift(cursor, "transaction_timeout")
        # SET and LOCK take no snapshot; the first query does. A long dump leaves this transaction idle.
        cursor.execute("begin isolation level repeatable read read only")
        cursor.execute("set local idle_in_transaction_session_timeout = 0")
        settle(cursor)
        cursor.execute("set local lock_timeout = %s", (lock_wait_ms,))
        if _lock(cursor, tables) and _list_within(cursor, schemas) == tables:
            cursor.execute(
                """select pg_catalog.pg_export_snapshot(), pg_catalog.pg_database_size(pg_catalog.current_database()),
                   exists (select from pg_largeobject_metadata)"""
            )
            row = cursor.fetchone()
            assert row is not None
            return Snapshot(row[0], tables, row[1], row[2], suggest(_read_slots(cursor)))
        cursor.execute("rollback")
    raise ToolError("tables were created and dropped all the time", hint="run it again when that is over")


def list_tables(cursor: Cursor) -> tuple[Table, ...]:
    """List the tables that hold the database's own rows; those of extensions are the extensions' affair."""
    cursor.execute(TABLES)
    return tuple(Table(*row) for row in cursor.fetchall())


def _list_within(cursor: Cursor, schemas: tuple[str, ...]) -> tuple[Table, ...]:
    return tuple(each for each in list_tables(cursor) if not schemas or each.schema in schemas)


def require_readable(connection: Connection, schemas: tuple[str, ...] = ()) -> None:
    """List everything that a backup would read and the role may not.

    Args:
        connection: In autocommit; nothing open on it.
        schemas: Only what is in these; none for the whole database.

    Raises:
        DatabaseError: There is something.
    """
    with translated("looking at what the role may read"), connection.cursor() as cursor:
        _require_readable(cursor, _list_within(cursor, schemas), schemas)


def _require_readable(cursor: Cursor, tables: Iterable[Table], schemas: tuple[str, ...]) -> None:
    """List everything that the role may not read: pg_dump stops at the first."""
    unreadable = [f"{each.schema}.{each.name}" for each in tables if not each.is_readable]
    cursor.execute(UNREADABLE, {"all": not schemas, "schemas": list(schemas)})
    unreadable += [name for (name,) in cursor.fetchall()]
    if unreadable:
        cursor.execute("select pg_catalog.current_database(), current_user")
        database, role = cursor.fetchone() or ("", "")
        more = f" and {len(unreadable) - LISTED} more" if len(unreadable) > LISTED else ""
        raise DatabaseError(
            f"{database}: {role} may not read {', '.join(unreadable[:LISTED])}{more}, so a backup would not be whole",
            hint=f"as an administrator: `grant pg_read_all_data to {role}`, or back up as the owner "
            f"(`alter role {role} bypassrls` against row security); STILLROOM_BACKUP_SCHEMAS limits a backup to some schemas",
        )


def _lock(cursor: Cursor, tables: tuple[Table, ...]) -> bool:
    """Hold the tables against TRUNCATE and DDL, nothing else; False when one of them is gone."""
    try:
        for start in range(0, len(tables), BATCH):
            names = sql.SQL(", ").join(sql.Identifier(each.schema, each.name) for each in tables[start : start + BATCH])
            cursor.execute(sql.SQL("lock table {} in access share mode").format(names))
    except (errors.UndefinedTable, errors.InvalidSchemaName):
        return False
    except errors.LockNotAvailable:
        cursor.execute("rollback")
        raise ToolError(f"the wait for a table ran out: {_blockers(cursor, tables)}", hint=LOCK_HINT) from None
    return True


def _read_slots(cursor: Cursor) -> Slots:
    cursor.execute(SLOTS)
    return Slots(*(cursor.fetchone() or (0, 1, 0, 0)))


def _lacks_slots(error: BaseException | None) -> bool:
    """Tell the lack of lock slots from that of memory: the server's hint names the setting, in whatever language."""
    return isinstance(error, errors.OutOfMemory) and "max_locks_per_transaction" in (error.diag.message_hint or "")


def _too_few_slots(cursor: Cursor) -> ToolError:
    with translated("looking at the lock slots"):
        cursor.execute("rollback")
        slots = _read_slots(cursor)
    return ToolError(
        f"the server has fewer lock slots than a backup of {slots.relations:,} tables and sequences takes "
        f"(max_locks_per_transaction is {slots.per_transaction})",
        hint=SLOTS_HINT.format(suggest(slots)),
    )


LOCK_HINT = "wait for that session, or raise `--lock-wait-timeout`; nothing was kept, older backups are untouched"


def _blockers(cursor: Cursor, tables: tuple[Table, ...]) -> str:
    cursor.execute(BLOCKERS, ([each.oid for each in tables],))
    found = [f"{table} is held by pid {pid}, {role}, {name or 'no name'}" for table, pid, role, name in cursor]
    return "; ".join(found) or "the session that held it has just ended"
