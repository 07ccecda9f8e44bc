"""NOT NULL on a table that may hold rows: what those rows get, on the way there and on the way back."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.core.fillers import is_constant
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import Findings, findings_of, shown
from stillroom.edges.alembic.completing.operations import AddFilledColumnOp, Filling
from stillroom.edges.alembic.completing.places import changed_tables, model_of
from stillroom.edges.alembic.completing.values.nulls import model_value, without_nulls
from stillroom.edges.alembic.completing.values.refilling import settle_dropped
from stillroom.edges.alembic.completing.values.uniqueness import is_one_of_its_own, needs_value

MAKERS = {
    "uuid4": "gen_random_uuid()",
    "now": "now()",
    "utcnow": "now()",
    "today": "current_date",
    "dict": "'{}'",
    "list": "'{}'",
}


def settle_filling(context: Any, upgrade: Any) -> None:
    """Fill what becomes NOT NULL; ask for a value where the models name none."""
    findings = findings_of(context)
    for table in changed_tables(upgrade):
        if any(isinstance(each, ops.CreateTableOp) and _same(each, table) for each in upgrade.ops):
            continue
        for operation in list(table.ops):
            at = table.ops.index(operation)
            if isinstance(operation, ops.AddColumnOp) and needs_value(operation.column):
                table.ops[at] = _filled(context, findings, operation)
            elif isinstance(operation, ops.AlterColumnOp) and operation.modify_nullable is False:
                table.ops[at:at] = without_nulls(context, findings, operation, upgrade)
    settle_dropped(context, upgrade)


def _same(create: Any, table: Any) -> bool:
    return (create.schema, create.table_name) == (table.schema, table.table_name)


def _filled(context: Any, findings: Findings, operation: Any) -> Any:
    column = operation.column
    subject = shown(operation.schema, operation.table_name, column.name)
    is_alone = is_one_of_its_own(column) and not _shares_a_key(column)
    value = findings.find("fill", subject) or ("" if is_alone else model_value(column))
    if not value and _may_be_renamed(findings, operation):
        return operation
    if not value:
        need = (
            "a value of its own in each row that is there already"
            if is_alone
            else "a value in rows that are there already"
        )
        text = f"{subject} is NOT NULL and {'unique' if is_alone else 'has no default'}, so it needs {need}"
        findings.questions.append(Question("fill", subject, text, proposal=_proposal(column), may_be_lost=False))
        return operation
    if is_constant(value):
        return AddFilledColumnOp.make(operation, Filling(value, is_constant=True))
    return AddFilledColumnOp.make(operation, Filling(value, key=_key_of(context, operation)))


def _shares_a_key(column: Any) -> bool:
    """Say whether it is only together with other columns that no two rows are the same."""
    return bool(column.primary_key and not column.unique and len(column.table.primary_key.columns) > 1)


def _may_be_renamed(findings: Findings, operation: Any) -> bool:
    """Say whether another question comes first: with a rename there are no rows without a value."""
    place = shown(operation.schema, operation.table_name)
    renames = [each for each in findings.questions if each.kind == "rename" and each.subject.startswith(f"{place}.")]
    return any(operation.column.name in each.choices for each in renames)


def _proposal(column: Any) -> str:
    default = column.default
    if default is None or not default.is_callable:
        return ""
    return MAKERS.get(getattr(_unwrapped(default.arg), "__name__", ""), "")


def _unwrapped(function: Any) -> Any:
    """SQLAlchemy puts a function of its own around one that takes no context."""
    return getattr(function, "__wrapped__", function)


def _key_of(context: Any, operation: Any) -> str:
    """Find a column that batches can go along: alone in the primary key."""
    table = model_of(context, operation.schema, operation.table_name)
    columns = [] if table is None else list(table.primary_key.columns)
    return str(columns[0].name) if len(columns) == 1 and columns[0].name != operation.column.name else ""
