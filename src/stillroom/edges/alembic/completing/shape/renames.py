"""A drop and an add that are one rename: asked about, and written as one when it is answered so."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.core.casts import are_kin
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import Findings, ddl_of, findings_of, plain_name, quoted, shown
from stillroom.edges.alembic.completing.operations import RenameColumnOp
from stillroom.edges.alembic.completing.places import changed_tables
from stillroom.edges.alembic.completing.shape.pairs import Names, join_pairs
from stillroom.edges.alembic.completing.shape.renamed_tables import compare_renamed

ALIKE = 0.5
"""Share of the columns of both tables that must be equal in name and type before a rename is suspected."""


def settle_renames(context: Any, upgrade: Any) -> None:
    """Turn the pairs that were answered into renames; ask about the others."""
    findings, names = findings_of(context), Names()
    _settle_tables(context, upgrade, findings, names)
    for table in changed_tables(upgrade):
        _settle_columns(context, table, findings, names)
    if names:
        join_pairs(upgrade, names)


def _settle_tables(context: Any, upgrade: Any, findings: Findings, names: Names) -> None:
    dropped = [each for each in upgrade.ops if isinstance(each, ops.DropTableOp)]
    added = [each for each in upgrade.ops if isinstance(each, ops.CreateTableOp)]
    for drop in dropped:
        subject = shown(drop.schema, drop.table_name)
        wanted = findings.find("rename", subject)
        candidates = [each for each in added if each.schema == drop.schema and _are_alike(drop, each)]
        chosen = next((each for each in added if each.table_name == wanted and each.schema == drop.schema), None)
        if chosen is not None:
            added.remove(chosen)
            names.tables[drop.schema, drop.table_name] = plain_name(chosen.table_name)
            findings.former[shown(drop.schema, chosen.table_name)] = subject
            compare_renamed(context, upgrade, drop, chosen)
            continue
        if wanted is not None:
            findings.forget("rename", subject)
        if findings.answers.is_lost(subject):
            continue
        if candidates:
            findings.questions.append(_ask(subject, [each.table_name for each in candidates], "table"))
        elif moved := next((each for each in added if _are_alike(drop, each)), None):
            findings.questions.append(_ask_move(drop, moved, subject))


def _are_alike(drop: Any, create: Any) -> bool:
    """Say whether most columns are the same, or all are of the same types under whatever names."""
    one, other = _shape(drop.to_table()), _shape(create.to_table())
    kinds = sorted(kind for _, kind in one), sorted(kind for _, kind in other)
    return len(one & other) >= ALIKE * len(one | other) or (len(one) > 1 and kinds[0] == kinds[1])


def _shape(table: Any) -> set[tuple[str, str]]:
    return {(each.name, ddl_of(each.type)) for each in table.columns}


def _settle_columns(context: Any, table: Any, findings: Findings, names: Names) -> None:
    dropped = [each for each in table.ops if isinstance(each, ops.DropColumnOp)]
    added = [each for each in table.ops if isinstance(each, ops.AddColumnOp)]
    for drop in dropped:
        subject = shown(table.schema, table.table_name, drop.column_name)
        wanted = findings.find("rename", subject)
        candidates = _candidates(drop, added)
        chosen = next((each for each in added if each.column.name == wanted), None)
        if chosen is not None:
            added.remove(chosen)
            old, new = plain_name(drop.column_name), plain_name(chosen.column.name)
            names.columns[table.schema, table.table_name, old] = new
            rename = RenameColumnOp(table.table_name, old, new, schema=table.schema)
            changes = _compare_columns(context, table, drop, chosen)
            at = table.ops.index(chosen)
            table.ops[at : at + 1] = [rename, *changes]
            table.ops.remove(drop)
            continue
        if wanted is not None:
            findings.forget("rename", subject)
        if candidates and not findings.answers.is_lost(subject):
            findings.questions.append(_ask(subject, [each.column.name for each in candidates], "column"))


def _candidates(drop: Any, added: list[Any]) -> list[Any]:
    """Find columns that hold the same kind of values, those of the very same type first."""
    old = ddl_of(drop.to_column().type)
    kinds = [(each, ddl_of(each.column.type)) for each in added]
    alike = [(kind != old, each) for each, kind in kinds if kind == old or are_kin(old, kind)]
    return [each for _, each in sorted(alike, key=lambda found: found[0])]


def _compare_columns(context: Any, table: Any, drop: Any, add: Any) -> list[Any]:
    change = ops.AlterColumnOp(table.table_name, add.column.name, schema=table.schema)
    context.comparators.dispatch("column", qualifier=context.dialect.name)(
        context, change, table.schema, table.table_name, add.column.name, drop.to_column(), add.column
    )
    return [change] if change.has_changes() else []


def _ask_move(drop: Any, create: Any, subject: str) -> Question:
    new = shown(create.schema, create.table_name)
    move = f"ALTER TABLE {quoted(drop.schema, drop.table_name)} SET SCHEMA {quoted(create.schema) or 'public'}"
    text = (
        f"table {subject} goes and {new} of the same shape comes in another schema: was it moved "
        f"(`{move}`, in a revision of `invoke make-migration --empty`), or do its rows die?"
    )
    return Question("lose", subject, text)


def _ask(subject: str, new: list[str], what: str) -> Question:
    comes = " or ".join(str(each) for each in new)
    text = f"{what} {subject} goes and {comes} of the same shape comes: a rename, or do its values die?"
    return Question("rename", subject, text, tuple(str(each) for each in new))
