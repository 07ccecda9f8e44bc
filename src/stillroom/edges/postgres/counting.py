"""How much would die: rows and values counted on the live database, exactly while that is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.core.operations import Loss, Operation
from stillroom.edges.postgres.current import reading
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

EXACT_FOR_MS = 1_000


def count_losses(
    connection: Connection, droppings: tuple[Operation, ...], *, search_path: str | None
) -> tuple[Loss, ...]:
    """Count what each operation takes along: rows of a table, non-null values of a column.

    Args:
        connection: In autocommit; only read from.
        droppings: drop_table, drop_column and raw SQL.
        search_path: Overrides the server's own.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("counting what would be lost"), reading(connection, search_path) as cursor:
        return tuple(_count(cursor, each) for each in droppings)


def _count(cursor: Cursor, operation: Operation) -> Loss:
    if operation.is_raw:
        return Loss(f"SQL: {operation.text[:80]}" + ("…" if len(operation.text) > 80 else ""), None)
    if operation.kind == "drop_table":
        counted = count_rows(cursor, operation.schema, operation.table)
        return Loss(f"table {operation.table}", *counted)
    counted = _count_values(cursor, operation)
    return Loss(f"column {operation.table}.{operation.column}", *counted)


def count_rows(cursor: Cursor, schema: str | None, table: str) -> tuple[int | None, bool]:
    """Count a table's rows, exactly within a second, else as the planner estimates.

    Returns:
        The number, and whether it is an estimate; None when the table is not there or may not be read.
    """
    return _within_a_second(
        cursor, schema, table, sql.SQL("select pg_catalog.count(*) from {}").format(_name(schema, table))
    )


def _count_values(cursor: Cursor, operation: Operation) -> tuple[int | None, bool]:
    query = sql.SQL("select pg_catalog.count({}) from {}").format(
        sql.Identifier(operation.column), _name(operation.schema, operation.table)
    )
    return _within_a_second(cursor, operation.schema, operation.table, query)


def _within_a_second(cursor: Cursor, schema: str | None, table: str, query: sql.Composed) -> tuple[int | None, bool]:
    # Rolled back to, it lets go of the table, too.
    cursor.execute("savepoint counting")
    try:
        cursor.execute("select pg_catalog.set_config('statement_timeout', %s, true)", (f"{EXACT_FOR_MS}ms",))
        cursor.execute(query)
        row = cursor.fetchone()
        return (int(row[0]) if row else None), False
    except errors.QueryCanceled:
        cursor.execute("rollback to savepoint counting")
        return _estimate(cursor, schema, table), True
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InsufficientPrivilege):
        # Not there now: a step before this one may give it the name that is dropped here.
        return None, False
    finally:
        cursor.execute("rollback to savepoint counting")


def _estimate(cursor: Cursor, schema: str | None, table: str) -> int | None:
    cursor.execute(
        "select reltuples::bigint from pg_class where oid = pg_catalog.to_regclass(%s)::oid",
        (_name(schema, table).as_string(cursor),),
    )
    row = cursor.fetchone()
    # Below 0: never analyzed, so there is nothing to estimate from. 0 may be old: something is there until it is counted.
    return max(int(row[0]), 1) if row and row[0] >= 0 else None


def _name(schema: str | None, table: str) -> sql.Identifier:
    return sql.Identifier(schema, table) if schema else sql.Identifier(table)


def count_tables(connection: Connection, schemas: tuple[str, ...]) -> tuple[Loss, ...]:
    """Count the rows of every table in the schemas, most first; estimates where a count takes over a second.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("counting the rows"), reading(connection, None) as cursor:
        cursor.execute(
            """select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where n.nspname = any(%s) and c.relkind in ('r', 'p') order by c.reltuples desc, c.relname limit 50""",
            (list(schemas),),
        )
        found = [Loss(table, *count_rows(cursor, schema, table)) for schema, table in cursor.fetchall()]
    return tuple(sorted(found, key=lambda each: -(each.count or 0)))
