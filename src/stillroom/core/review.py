"""What a person sees of a draft before it becomes a revision, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stillroom.core.operations import Operation
from stillroom.core.printable import visible

NOT_COMPARED = (
    "renames (they show as a drop and an add)",
    "members of an enum type",
    "CHECK constraints",
    "sequences",
    "views",
    "functions",
    "triggers",
    "grants",
    "data",
)
LOSSES = {
    "drop_table": "every row of it dies",
    "drop_column": "every value in it dies",
    "execute": "SQL by hand: only reading it tells what it does",
}
TAB = "\t"
RED, PLAIN = "\x1b[31m", "\x1b[0m"


@dataclass(frozen=True)
class Sheet:
    """All there is to see.

    Args:
        path: The draft, as a person would name it.
        message: Its message.
        operations: What its upgrade does.
        upgrade: The SQL forward.
        downgrade: The SQL back.
        problems: What keeps it from being accepted.
    """

    path: str
    message: str
    operations: tuple[Operation, ...]
    upgrade: str
    downgrade: str
    problems: tuple[str, ...] = ()


def sheet_text(sheet: Sheet, *, has_colour: bool = False) -> str:
    """Write the review: operations (destructive ones first), SQL both ways, what was not compared, problems."""
    lines = [_line(each, has_colour=has_colour) for each in worst_first(sheet.operations)]
    parts = [
        visible(f"{sheet.path}: {sheet.message}"),
        _part("operations", lines or ["    nothing"]),
        *[f"note:  {visible(each)}" for each in find_renames(sheet.operations)],
        _part("upgrade", _indented(sheet.upgrade)),
        _part("downgrade", _indented(sheet.downgrade)),
        f"not compared: {', '.join(NOT_COMPARED)}",
        *[f"problem: {visible(each)}" for each in sheet.problems],
    ]
    return "\n\n".join(parts)


def worst_first(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Bring what destroys to the front; the rest keeps its order."""
    return tuple(sorted(operations, key=lambda each: each.kind not in LOSSES))


def find_renames(operations: Sequence[Operation]) -> tuple[str, ...]:
    """Point out a drop and an add that may be one rename: as they stand, the contents die."""
    pairs = [(one, other) for one in operations for other in operations if _may_be_rename(one, other)]
    return tuple(
        f"{_name(dropped)} goes and {_name(added)} comes: if that is a rename, edit the file to use "
        f"`op.{'alter_column' if dropped.column else 'rename_table'}`"
        for dropped, added in pairs
    )


def _may_be_rename(dropped: Operation, added: Operation) -> bool:
    if (dropped.kind, added.kind) == ("drop_table", "create_table"):
        return True
    return (dropped.kind, added.kind, dropped.table) == ("drop_column", "add_column", added.table)


def drops_only_tables(operations: Sequence[Operation]) -> bool:
    """Say whether tables go and nothing else happens, which is what models that were not imported look like."""
    kinds = {each.kind for each in operations}
    return "drop_table" in kinds and all(each.startswith("drop_") for each in kinds)


def _name(operation: Operation) -> str:
    return f"{operation.table}.{operation.column}" if operation.column else operation.table


def _line(operation: Operation, *, has_colour: bool) -> str:
    loss = LOSSES.get(operation.kind)
    if loss is None:
        return f"    {visible(operation.text)}"
    line = f"  ! {visible(operation.text)}  <- {loss}"
    return f"{RED}{line}{PLAIN}" if has_colour else line


def _part(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *lines])


def _indented(sql: str) -> list[str]:
    return [f"    {visible(line, keep=TAB)}".rstrip() for line in sql.split("\n") if sql] or ["    nothing"]
