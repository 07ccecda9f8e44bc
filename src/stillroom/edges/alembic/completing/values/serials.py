"""A counted column that comes to a table that is there: rows are numbered by the server, which Alembic does not ask for.

Source: PostgreSQL documentation, "Numeric Types": `serial` makes a sequence and a default that counts, for rows that are there as well.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import ddl_of, plain_name, quoted, shown, words
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.completing.places import changed_tables

KINDS = {"SMALLINT": "SMALLSERIAL", "INTEGER": "SERIAL", "BIGINT": "BIGSERIAL"}


def settle_serials(_context: Any, upgrade: Any) -> None:
    """Add such columns as serial ones, both ways."""
    for table in changed_tables(upgrade):
        for at, each in enumerate(table.ops):
            if isinstance(each, ops.AddColumnOp) and _counts(each.column):
                add, drop = _ways(table, each.column)
                table.ops[at] = StatementOp("add_column", add, drop, table=str(table.table_name))
            elif isinstance(each, ops.DropColumnOp) and _counted(each.to_column()):
                add, drop = _ways(table, each.to_column())
                table.ops[at] = StatementOp("drop_column", drop, add, table=str(table.table_name))


def _counts(column: Any) -> bool:
    table = getattr(column, "table", None)
    is_auto = table is not None and getattr(table, "_autoincrement_column", None) is column
    return is_auto and column.server_default is None and column.identity is None and ddl_of(column.type) in KINDS


def _counted(column: Any) -> bool:
    return column.autoincrement is True and column.server_default is None and ddl_of(column.type) in KINDS


def _ways(table: Any, column: Any) -> tuple[Way, Way]:
    place, name = quoted(table.schema, table.table_name), quoted(plain_name(column.name))
    what = shown(table.schema, str(table.table_name), plain_name(column.name))
    add = words("ALTER TABLE", place, "ADD COLUMN", name, KINDS[ddl_of(column.type)], "NOT NULL")
    drop = words("ALTER TABLE", place, "DROP COLUMN", name)
    return Way((add,), f"add_column {what}"), Way((drop,), f"drop_column {what}")
