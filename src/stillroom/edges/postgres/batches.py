"""Tables dropped in several transactions, where one would run out of the server's lock slots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg2 import sql

from stillroom.edges.postgres.outside import read_outside, require_nothing_outside

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

BATCH = 200
# A dropped object of any kind takes a lock: a table, its toast table and the index of that, its two types, and each of its
# indexes, constraints, defaults, sequences and triggers. Three quarters of the slots: others need some, too.
LOCK_SLOTS = """
with rel as (select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any(%(schemas)s))
select pg_catalog.current_setting('max_locks_per_transaction')::bigint
         * (pg_catalog.current_setting('max_connections')::bigint + pg_catalog.current_setting('max_prepared_transactions')::bigint) * 3 / 4,
       (select pg_catalog.count(*) + 2 * pg_catalog.count(*) filter (where reltype <> 0::oid)
               + 2 * pg_catalog.count(*) filter (where reltoastrelid <> 0::oid) from rel)
       + (select pg_catalog.count(*) from pg_constraint where conrelid in (select oid from rel))
       + (select pg_catalog.count(*) from pg_attrdef where adrelid in (select oid from rel))
       + (select pg_catalog.count(*) from pg_trigger where tgrelid in (select oid from rel))
       + (select pg_catalog.count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = any(%(schemas)s))
"""
LOCKS_PER_TABLE_MOST = 40
TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p', 'f')
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass::oid and d.objid = c.oid and d.deptype in ('e', 'i'))
order by c.oid desc
"""


def drop_in_batches(cursor: Cursor, schemas: tuple[str, ...], *, allows_outside: bool) -> int:
    """Drop tables in several transactions when one would run out of lock slots; a rerun goes on where a kill left it."""
    names = {"schemas": list(schemas)}
    cursor.execute(LOCK_SLOTS, names)
    slots, locks = cursor.fetchone() or (0, 0)
    if locks < slots:
        return 0
    cursor.execute(TABLES, names)
    tables = cursor.fetchall()
    size = min(BATCH, max(slots // LOCKS_PER_TABLE_MOST, 1))
    chunks = [tables[start : start + size] for start in range(0, len(tables), size)]
    # Once more than needed, and rolled back: a refusal, or a session that holds a table, must find everything as it was.
    for chunk in chunks:
        with _transaction(cursor, "rollback"):
            before = read_outside(cursor, list(schemas))
            _drop_tables(cursor, chunk)
            require_nothing_outside(
                tuple(sorted(before - read_outside(cursor, list(schemas)))), allows_outside=allows_outside
            )
    for chunk in chunks:
        with _transaction(cursor, "commit"):
            _drop_tables(cursor, chunk)
    return len(chunks)


def _drop_tables(cursor: Cursor, tables: list[tuple[str, str]]) -> None:
    names = sql.SQL(", ").join(sql.Identifier(*each) for each in tables)
    # A partition is gone with its parent.
    cursor.execute(sql.SQL("drop table if exists {} cascade").format(names))


@contextmanager
def _transaction(cursor: Cursor, end: str) -> Iterator[None]:
    cursor.execute("begin")
    try:
        yield
        cursor.execute(end)
    except BaseException:
        if not cursor.connection.closed:
            cursor.execute("rollback")
        raise
