"""The rows of tables, counted and hashed in a way that does not depend on their order or on anybody's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.core.contents import TableRows
from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.time_limits import unbounded

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

# What the text of a value depends on. The search path decides whether `regclass` is written with its schema.
SETTLED = {
    "search_path": "",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "lc_monetary": "C",
    "row_security": "off",
}
COLUMNS = """
select n.nspname::text, c.relname::text, pg_catalog.array_agg(a.attname::text order by a.attname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and n.nspname::text !~ '^pg_'::text
group by n.nspname, c.relname
"""
# By their names, because a child table may have its parent's columns in another order after a restore.
HASH = """
select pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashtextextended(
  pg_catalog.textin(pg_catalog.record_out(row({}))) collate pg_catalog."C", 0::bigint)), 0::numeric)::text
from only {}
"""


def settle(cursor: Cursor) -> None:
    """Fix what the text of a value depends on, until the transaction ends."""
    for name, value in SETTLED.items():
        cursor.execute("select pg_catalog.set_config(%s, %s, true)", (name, value))


@contextmanager
def comparing(connection: Connection) -> Iterator[None]:
    """Read a copy in one transaction, with the same settings as the original.

    Args:
        connection: In autocommit.

    Raises:
        DatabaseError: The server refused.
    """
    with connection.cursor() as cursor, translated("reading the copy"):
        unbounded(cursor)
        cursor.execute("begin isolation level repeatable read read only")
        settle(cursor)
    with cancelled_by_signals(connection):
        yield
    with connection.cursor() as cursor, translated("reading the copy"):
        cursor.execute("rollback")


def count_rows(
    connection: Connection,
    tables: Iterable[tuple[str, str]],
    *,
    hashes: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[TableRows, ...]:
    """Count the rows of tables, without those of their children, in the transaction that is open or in one each.

    Args:
        connection: With `hashes`, in a transaction that is settled.
        tables: Schema and name of each.
        hashes: Hash the rows as well.
        tell: Told the table that is read now.

    Raises:
        DatabaseError: The server failed, or a table is not there.
    """
    counted = []
    with translated("counting rows"), connection.cursor() as cursor:
        columns = _read_columns(cursor) if hashes else {}
        for schema, name in tables:
            tell(f"{schema}.{name}")
            counted.append(
                TableRows(schema, name, *_read(cursor, schema, name, columns.get((schema, name), []), hashes))
            )
    return tuple(counted)


def _read_columns(cursor: Cursor) -> dict[tuple[str, str], list[str]]:
    cursor.execute(COLUMNS)
    return {(schema, name): columns for schema, name, columns in cursor.fetchall()}


def _read(cursor: Cursor, schema: str, name: str, columns: list[str], hashes: bool) -> tuple[int, str]:
    table = sql.Identifier(schema, name)
    if hashes:
        cursor.execute("savepoint hashing")
        try:
            cursor.execute(sql.SQL(HASH).format(sql.SQL(", ").join(map(sql.Identifier, columns)), table))
            count, text = cursor.fetchone() or (0, "")
        except (errors.ProgramLimitExceeded, errors.OutOfMemory):
            # A row that is too long for one text of a gigabyte: its table is counted, and not hashed.
            cursor.execute("rollback to savepoint hashing")
        else:
            return int(count), text
    cursor.execute(sql.SQL("select pg_catalog.count(*) from only {}").format(table))
    return int((cursor.fetchone() or (0,))[0]), ""
