"""Count what was written since a backup's snapshot, by the transaction number that each row carries."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.core.contents import OWN_SCHEMA
from stillroom.core.written import Since, Written
from stillroom.edges.postgres.current import reading
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.snapshot import list_tables

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from stillroom.core.contents import Origin, TableRows

EACH_MS = 1_000
ALL_S = 10.0
PLACE = """
select (select system_identifier::text from pg_catalog.pg_control_system()), oid::bigint from pg_database
where datname = pg_catalog.current_database()
"""
# Of a row that was updated the new version counts as new. Rows of transactions that were under way count as well.
COUNT = """
select pg_catalog.count(*), pg_catalog.count(*) filter (where pg_catalog.age(xmin) between 0 and pg_catalog.age({}::text::xid)
  or xmin::text = any({}::text[])) from only {}
"""


def count_written(connection: Connection, origin: Origin, then: tuple[TableRows, ...], *, version_table: str) -> Since:
    """Compare a database with the moment of a backup of it.

    Args:
        connection: In autocommit, to the database as it is now.
        origin: The backup's.
        then: The rows that the backup holds.
        version_table: Left out: what it holds is said anyway.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("counting what was written since"), reading(connection, None) as cursor:
        cursor.execute(PLACE)
        identifier, oid = cursor.fetchone() or ("", 0)
        if not origin.xmax or (identifier, oid) != (origin.system_identifier, origin.database_oid):
            return Since(unknown="the backup is of another database, or of one that was replaced since")
        tables = {
            (each.schema, each.name): each.is_readable
            for each in list_tables(cursor)
            if each.has_rows and each.schema != OWN_SCHEMA and each.name != version_table
        }
        ours = {(each.schema, each.name): each.rows for each in then}
        before = {key: rows for key, rows in ours.items() if key[0] != OWN_SCHEMA and key[1] != version_table}
        return Since(_count(cursor, origin, tables, before))


def _count(
    cursor: Cursor, origin: Origin, tables: dict[tuple[str, str], bool], then: dict[tuple[str, str], int]
) -> tuple[Written, ...]:
    found, until = [], time.monotonic() + ALL_S
    for key, is_readable in tables.items():
        counted = _read(cursor, origin, key) if is_readable and time.monotonic() < until else None
        name, was_there = ".".join(key), key in then
        if counted is None:
            found.append(Written(name, None, None, was_there))
        else:
            rows, new = counted
            found.append(Written(name, new, then.get(key, 0) - (rows - new) if was_there else 0, was_there))
    gone = (Written(".".join(key), 0, rows, is_there=False) for key, rows in then.items() if key not in tables)
    return (*(each for each in found if each.is_changed), *gone)


def _read(cursor: Cursor, origin: Origin, key: tuple[str, str]) -> tuple[int, int] | None:
    cursor.execute("savepoint counting")
    try:
        cursor.execute("select pg_catalog.set_config('statement_timeout', %s, true)", (f"{EACH_MS}ms",))
        running = sql.Literal([str(each) for each in origin.running])
        # No values beside it: a `%` in a table's name would be taken for the place of one.
        cursor.execute(sql.SQL(COUNT).format(sql.Literal(str(origin.xmax)), running, sql.Identifier(*key)))
        rows, new = cursor.fetchone() or (0, 0)
    except (errors.QueryCanceled, errors.LockNotAvailable, errors.UndefinedTable, errors.InsufficientPrivilege):
        return None
    else:
        return int(rows), int(new)
    finally:
        cursor.execute("rollback to savepoint counting")
