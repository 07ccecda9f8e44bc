"""What a person sees of a draft before it becomes a revision, as text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stillroom.core.operations import Operation
from stillroom.core.printable import visible

NOT_COMPARED = (
    "CHECK constraints that have no name",
    "EXCLUDE constraints",
    "conditions of partial indexes",
    "expressions of computed columns",
    "DEFERRABLE of unique constraints",
    "collations",
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
SHOWN = 5
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
        notes: What a reviewer should know.
        left_alone: Tables that are not the models', and why.
        locks: What the upgrade locks, a line each.
    """

    path: str
    message: str
    operations: tuple[Operation, ...]
    upgrade: str
    downgrade: str
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_alone: tuple[tuple[str, str], ...] = ()
    locks: tuple[str, ...] = ()


def sheet_text(sheet: Sheet, *, has_colour: bool = False) -> str:
    """Write the review: operations (destructive ones first), SQL both ways, what was not compared, problems."""
    lines = [_line(each, has_colour=has_colour) for each in worst_first(sheet.operations)]
    parts = [
        visible(f"{sheet.path}: {sheet.message}"),
        *([] if sheet.problems and not lines else [_part("operations", lines or ["    nothing"])]),
        *[f"note:  {visible(each)}" for each in sheet.notes],
        *([_part("upgrade", _indented(sheet.upgrade))] if sheet.upgrade or not sheet.problems else []),
        *([_part("downgrade", _indented(sheet.downgrade))] if sheet.downgrade or not sheet.problems else []),
        *([_part("locks of the upgrade", [f"    {visible(each)}" for each in sheet.locks])] if sheet.locks else []),
        *[visible(each) for each in left_alone_lines(sheet.left_alone)],
        f"not compared: {', '.join(NOT_COMPARED)}",
        *[f"problem: {visible(each)}" for each in sheet.problems],
    ]
    return "\n\n".join(parts)


def left_alone_lines(left_alone: Sequence[tuple[str, str]]) -> list[str]:
    """Say which tables were left alone, in one line or none."""
    shown = [f"{name} ({why})" for name, why in left_alone[:SHOWN]]
    more = len(left_alone) - SHOWN
    return [f"left alone: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"] if left_alone else []


def worst_first(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Bring what destroys to the front; the rest keeps its order."""
    return tuple(sorted(operations, key=lambda each: each.kind not in LOSSES))


def drops_only_tables(operations: Sequence[Operation]) -> bool:
    """Say whether tables go and nothing else happens, which is what models that were not imported look like."""
    kinds = {each.kind for each in operations}
    return "drop_table" in kinds and all(each.startswith("drop_") for each in kinds)


def drops_of_strangers(operations: Sequence[Operation], revisions: Sequence[str]) -> tuple[str, ...]:
    """Name the tables that go although no revision knows them: another tool's, or ones made by hand.

    Args:
        operations: What the new revision does.
        revisions: The texts of all revisions there are.
    """
    gone = [each.table for each in operations if each.kind == "drop_table"]
    known = [re.compile(rf"(?<!\w){re.escape(each)}(?!\w)") for each in gone]
    return tuple(name for name, form in zip(gone, known, strict=True) if not any(map(form.search, revisions)))


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
