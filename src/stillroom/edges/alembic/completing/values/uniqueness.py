"""What a column asks of the values in its rows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint


def needs_value(column: Any) -> bool:
    """Say whether rows that are there already need a value, because the column makes none."""
    return not column.nullable and column.server_default is None and not makes_values(column)


def makes_values(column: Any) -> bool:
    """Say whether the server makes a value for each row: computed, or counted."""
    return column.computed is not None or column.identity is not None or _is_serial(column)


def _is_serial(column: Any) -> bool:
    table = getattr(column, "table", None)
    return table is not None and getattr(table, "_autoincrement_column", None) is column


def is_one_of_its_own(column: Any) -> bool:
    """Say whether no two rows may have the same value."""
    if column.unique or column.primary_key or getattr(column, "table", None) is None:
        return bool(column.unique or column.primary_key)
    return any(names == [column.name] for names in _unique(column.table))


def is_part_of_one(column: Any) -> bool:
    """Say whether no two rows may have the same value together with others."""
    table = getattr(column, "table", None)
    return table is not None and any(column.name in names for names in _unique(table))


def _unique(table: Any) -> list[list[str]]:
    indexes = [each for each in table.indexes if each.unique]
    uniques = [each for each in table.constraints if isinstance(each, UniqueConstraint | PrimaryKeyConstraint)]
    return [[one.name for one in each.columns] for each in [*indexes, *uniques]]
