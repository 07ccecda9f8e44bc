"""A name for a revision, made of what it does."""

from __future__ import annotations

from collections.abc import Sequence

from stillroom.core.operations import Operation

VERBS = {
    "create_table": "create",
    "drop_table": "drop",
    "add_column": "add",
    "drop_column": "drop",
    "alter_column": "change",
    "rename_column": "rename",
    "rename_table": "rename",
    "add_value": "add to",
    "rename_value": "rename in",
    "remake_type": "take from",
    "create_index": "index",
    "drop_index": "drop index on",
    "create_foreign_key": "reference from",
    "create_unique_constraint": "unique in",
    "drop_constraint": "drop constraint on",
}
MOST = 3
FIRST, EMPTY = "initial schema", "empty revision"


def propose_message(operations: Sequence[Operation], *, is_first: bool) -> str:
    """Name a revision: "add users.timezone", "create notes".

    Args:
        operations: What its upgrade does.
        is_first: No revision comes before it.
    """
    if not operations:
        return EMPTY
    whole = {each.table for each in operations if each.kind in {"create_table", "drop_table"}}
    if is_first and all(each.table in whole for each in operations if each.table):
        return FIRST
    told = [each for each in operations if not _goes_without_saying(each, operations, whole)]
    phrases = list(dict.fromkeys(_phrase(each) for each in told))
    more = len(phrases) - MOST
    return ", ".join(phrases[:MOST]) + (f" and {more} more" if more > 0 else "")


def _goes_without_saying(operation: Operation, operations: Sequence[Operation], whole: set[str]) -> bool:
    """Leave out what happens to a table that is itself made or dropped, and the constraints of a new column."""
    if operation.kind in {"create_table", "drop_table"}:
        return False
    with_columns = {each.table for each in operations if each.kind in {"add_column", "drop_column"}}
    return operation.table in whole or (operation.table in with_columns and not operation.column)


def _phrase(operation: Operation) -> str:
    what = f"{operation.table}.{operation.column}" if operation.column else operation.table
    return f"{VERBS.get(operation.kind, operation.kind.replace('_', ' '))} {what}".strip()
