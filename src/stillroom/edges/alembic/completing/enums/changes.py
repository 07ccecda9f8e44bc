"""Enum types: made before the first column that needs them, grown in place, dropped after the last column is gone.

Alembic leaves all of it out. Source: PostgreSQL documentation, "ALTER TYPE": a value that was added cannot be used before
the transaction has ended, and none can be taken away, so that a type that loses one is made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from alembic.operations import ops
from sqlalchemy import DefaultClause, text

from stillroom.core.enum_words import reword
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.enums.live import Live, count_rows, holds_nested, read_enums
from stillroom.edges.alembic.completing.enums.renames import rename_types
from stillroom.edges.alembic.completing.enums.statements import grow, rebuild, rename_member
from stillroom.edges.alembic.completing.findings import Findings, findings_of, flatten, literal, shown
from stillroom.edges.alembic.completing.texts import escaped
from stillroom.edges.alembic.completing.values.defaults import text_of
from stillroom.edges.alembic.enums import CreateEnumOp, DropEnumOp, is_enum


def settle_enums(context: Any, upgrade: Any) -> None:
    """Add what the models' enum types need."""
    live = read_enums(context.connection)
    findings = findings_of(context)
    wanted = {(each.schema, str(each.name)): each for each in _modelled(context)}
    changes: list[Any] = [*rename_types(upgrade, live, wanted)]
    needed = {(each.schema, str(each.name)): each for each in _needed(upgrade)}
    new = [each for key, each in needed.items() if key not in live]
    words: dict[str, Mapping[str, str]] = {}
    for key, item in wanted.items():
        if key in live and not live[key].is_foreign:
            found, words[live[key].spelled] = _change(
                live[key], tuple(str(each) for each in item.enums), findings, context
            )
            changes += found
            for other, each in live.items():
                if each.spelled != live[key].spelled:
                    live[other] = each.beside(live[key].spelled, words[live[key].spelled])
    gone = [
        each
        for key, each in live.items()
        if key not in wanted and key == (each.schema, each.name) and not each.is_foreign and _loses_all(each, upgrade)
    ]
    _follow_defaults(upgrade, words)
    upgrade.ops[:0] = [*(CreateEnumOp(each) for each in new), *changes]
    upgrade.ops.extend(DropEnumOp(_as_type(each)) for each in gone)


def _modelled(context: Any) -> Iterator[Any]:
    for table in context.sorted_tables:
        yield from _enums(column.type for column in table.columns)


def _needed(upgrade: Any) -> Iterable[Any]:
    for operation in flatten(upgrade):
        if isinstance(operation, ops.CreateTableOp):
            yield from _enums(getattr(each, "type", None) for each in operation.columns)
        elif isinstance(operation, ops.AddColumnOp):
            yield from _enums([operation.column.type])
        elif isinstance(operation, ops.AlterColumnOp):
            yield from _enums([operation.modify_type])


def _enums(types: Iterable[Any]) -> Iterator[Any]:
    """Pick the enum types, those of arrays included."""
    inner = (getattr(each, "item_type", each) for each in types)
    return (each for each in inner if is_enum(each))


def _loses_all(live: Live, upgrade: Any) -> bool:
    """Say whether every column of the type goes, or gets another type."""
    lost: set[tuple[str | None, str, str]] = set()
    for operation in flatten(upgrade):
        if isinstance(operation, ops.DropTableOp):
            lost |= {(operation.schema, operation.table_name, each.name) for each in operation.to_table().columns}
        elif isinstance(operation, ops.DropColumnOp) or (
            isinstance(operation, ops.AlterColumnOp) and operation.modify_type is not None
        ):
            lost.add((operation.schema, operation.table_name, operation.column_name))
    return bool(live.uses) and all((each.schema, each.table, each.column) in lost for each in live.uses)


def _as_type(live: Live) -> Any:
    from sqlalchemy.dialects import postgresql

    return postgresql.ENUM(*live.labels, name=live.name, schema=live.schema)


def _change(
    live: Live, labels: tuple[str, ...], findings: Findings, context: Any
) -> tuple[list[Any], Mapping[str, str]]:
    """Return the operations, and how definitions that name members are worded afterwards."""
    gone = [each for each in live.labels if each not in labels]
    added = [each for each in labels if each not in live.labels]
    asked = len(findings.questions)
    renamed, moved = _settle_gone(live, gone, added, labels, findings, context)
    if moved and live.blockers:
        text = f"enum type {shown(live.schema, live.name)} loses {', '.join(moved)}, and it cannot be made anew below {', '.join(live.blockers)}"
        findings.questions.append(Question("convert", shown(live.schema, live.name), text, may_be_lost=False))
    if len(findings.questions) > asked:
        return [], {}
    found: list[Any] = [rename_member(live, old, new) for old, new in renamed.items()]
    current = tuple(renamed.get(each, each) for each in live.labels)
    if set(labels) - set(current) or moved:
        live = live.worded(renamed)
        if not moved and live.blockers:
            findings.note(
                f"{live.name} is used by {', '.join(live.blockers)}: the way back leaves its new members in the type"
            )
        found.append(grow(live, current, labels) if not moved else rebuild(live, current, labels, moved))
    return found, {**renamed, **moved}


def _settle_gone(
    live: Live, gone: list[str], added: list[str], labels: Sequence[str], findings: Findings, context: Any
) -> tuple[dict[str, str], dict[str, str]]:
    """Find out what became of members that the models no longer have."""
    renamed: dict[str, str] = {}
    moved: dict[str, str] = {}
    for old in gone:
        subject = f"{shown(live.schema, live.name)}.{old}"
        new, other = findings.find("rename", subject), findings.find("replace", subject)
        if new in added and new not in renamed.values():
            assert new is not None
            renamed[old] = new
        elif other in labels:
            assert other is not None
            moved[old] = other
        elif findings.answers.is_lost(subject) and not (held := _held(live, old, context)):
            moved[old] = ""
        else:
            findings.used -= {("rename", subject), ("replace", subject)}
            findings.questions += _ask(live, subject, old, added, labels, context)
            if findings.answers.is_lost(subject):
                text = f"{subject} is gone from the models, and its rows cannot become null: {held}"
                findings.questions[-1] = Question("replace", subject, text, tuple(labels), may_be_lost=False)
    return renamed, moved


def _held(live: Live, label: str, context: Any) -> str:
    """Say why there has to be a member in the place of one that goes; empty where null will do."""
    for use in live.uses:
        if not use.is_nullable and not use.is_array and count_rows(context.connection, live, use, label):
            return f"{shown(use.schema, use.table, use.column)} is NOT NULL"
        if use.is_array and holds_nested(context.connection, use):
            return f"{shown(use.schema, use.table, use.column)} holds arrays of arrays, from which none can be taken"
    name = live.names(label)
    return f"{name} names it" if name else ""


def _follow_defaults(upgrade: Any, words: Mapping[str, Mapping[str, str]]) -> None:
    """Word the default a column has in the members of afterwards: it is changed after them, and changed back before them."""
    for operation in flatten(upgrade):
        before = getattr(operation, "existing_server_default", None)
        kind = getattr(operation, "existing_type", None)
        if not isinstance(before, DefaultClause) or not is_enum(getattr(kind, "item_type", kind)):
            continue
        old = text_of(before)
        for spelled, changes in words.items():
            gone = any(not new and old == f"{literal(each)}::{spelled}" for each, new in changes.items())
            new = reword(old, spelled, changes)
            if gone or new != old:
                operation.existing_server_default = None if gone else DefaultClause(text(escaped(new)))


def _ask(
    live: Live, subject: str, old: str, added: list[str], labels: Sequence[str], context: Any
) -> Iterator[Question]:
    count = sum(count_rows(context.connection, live, each, old) for each in live.uses)
    rows = f"{count} row{'s' if count != 1 else ''} here hold{'s' if count == 1 else ''} it"
    said = f"{subject} is gone from the models, and {rows}: what becomes of the rows that hold it?"
    if added:
        yield Question("rename", subject, said, tuple(added), may_be_lost=False)
    else:
        yield Question("replace", subject, said, tuple(labels))
