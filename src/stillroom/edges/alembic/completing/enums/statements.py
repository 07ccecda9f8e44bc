"""What is sent to change an enum type: a member renamed or added, or the type made anew without one.

Source: PostgreSQL documentation, "ALTER TYPE": a value that was added cannot be used before the transaction has ended, and none
can be taken away.
"""

from __future__ import annotations

from collections.abc import Iterable

from stillroom.core.enum_words import reword
from stillroom.edges.alembic.completing.enums.live import Live, Use
from stillroom.edges.alembic.completing.findings import literal, quoted, words
from stillroom.edges.alembic.completing.operations import StatementOp, Way


def rename_member(live: Live, old: str, new: str) -> StatementOp:
    """Give a member another name; defaults and rows follow by themselves."""

    def way(one: str, other: str) -> Way:
        statement = f"ALTER TYPE {live.quoted} RENAME VALUE {literal(one)} TO {literal(other)}"
        return Way((statement,), f"rename_value {live.name}.{one} to {other}")

    return StatementOp("rename_value", way(old, new), way(new, old))


def grow(live: Live, current: tuple[str, ...], labels: tuple[str, ...]) -> StatementOp:
    """Add the new members in their places; on the way back the type is made anew without them."""
    up, known = [], list(current)
    for at, label in enumerate(labels):
        if label in known:
            continue
        before = [each for each in labels[:at] if each in known]
        if before:
            place, beside = "AFTER", before[-1]
            known.insert(known.index(beside) + 1, label)
        else:
            place, beside = "BEFORE", known[0]
            known.insert(0, label)
        up.append(f"ALTER TYPE {live.quoted} ADD VALUE IF NOT EXISTS {literal(label)} {place} {literal(beside)}")
    new = ", ".join(each for each in labels if each not in current)
    forward = Way(tuple(up), f"add_value {live.name}: {new}", alone=True)
    if live.blockers:
        remark = f"type {live.name} keeps {new}: it cannot be made anew below {', '.join(live.blockers)}"
        # Adding it once more does nothing; a downgrade without a statement would count as forgotten.
        kept = Way(tuple(up), f"add_value {live.name}: {new} stays", alone=True, remark=remark)
        return StatementOp("add_value", forward, kept)
    return StatementOp("add_value", forward, Way(_rebuild(live, current, {}), f"remake_type {live.name} without {new}"))


def rebuild(live: Live, current: tuple[str, ...], labels: tuple[str, ...], moved: dict[str, str]) -> StatementOp:
    about = ", ".join(f"{old} becomes {new or 'null'}" for old, new in moved.items())
    forward = Way(_rebuild(live, labels, moved), f"remake_type {live.name}: {about}")
    back = Way(_rebuild(live, current, {}), f"remake_type {live.name} with {', '.join(moved)}")
    return StatementOp("remake_type", forward, back)


def _rebuild(live: Live, labels: Iterable[str], moved: dict[str, str]) -> tuple[str, ...]:
    """Make the type anew with other members, and put its columns on it; a value that is none of them fails."""
    old = quoted(live.schema, f"{live.name}_before")
    members = ", ".join(literal(each) for each in labels)
    lines = [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in live.references]
    for use in live.uses:
        table, column = quoted(use.schema, use.table), quoted(use.column)
        for gone, new in moved.items():
            lines.append(
                words("UPDATE", table, "SET", column, "=", _replaced(live, use, gone, new), "WHERE", _holds(use, gone))
            )
        if use.default is not None:
            lines.append(f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT")
    lines += [f"DROP INDEX {name}" for name, _ in live.indexes]
    lines += [f"ALTER TABLE {table} DROP CONSTRAINT {name}" for table, name, _ in live.checks]
    lines.append(f"ALTER TYPE {live.quoted} RENAME TO {quoted(f'{live.name}_before')}")
    lines.append(f"CREATE TYPE {live.quoted} AS ENUM ({members})")
    for use in live.uses:
        table, column = quoted(use.schema, use.table), quoted(use.column)
        brackets = "[]" if use.is_array else ""
        lines.append(
            f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {live.quoted}{brackets} "
            f"USING {column}::text{brackets}::{live.quoted}{brackets}"
        )
        default = _default(live, use, moved)
        if default:
            lines.append(f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}")
    live = live.worded({gone: new for gone, new in moved.items() if new})
    lines += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in live.checks]
    lines += [definition for _, definition in live.indexes]
    lines += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in live.references]
    return (*lines, f"DROP TYPE {old}")


def _default(live: Live, use: Use, moved: dict[str, str]) -> str:
    default = use.default or ""
    if any(not new and default == f"{literal(gone)}::{live.spelled}" for gone, new in moved.items()):
        return ""
    return reword(default, live.spelled, moved)


def _holds(use: Use, label: str) -> str:
    column = quoted(use.column)
    return f"{literal(label)} = ANY({column}::text[])" if use.is_array else f"{column} = {literal(label)}"


def _replaced(live: Live, use: Use, gone: str, new: str) -> str:
    if not use.is_array:
        return literal(new) if new else "NULL"
    column, kind = quoted(use.column), live.quoted
    if new:
        return f"array_replace({column}, {literal(gone)}::{kind}, {literal(new)}::{kind})"
    return f"array_remove({column}, {literal(gone)}::{kind})"
