"""NOT NULL on a table that may hold rows: what those rows get, on the way there and on the way back."""

from __future__ import annotations

import json
from typing import Any

from alembic.operations import ops
from psycopg2 import sql
from sqlalchemy import JSON
from sqlalchemy import literal as sa_literal
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import CompileError

from stillroom.core.fillers import find_distinct, find_neutral, is_constant
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import (
    Findings,
    ddl_of,
    findings_of,
    flatten,
    literal,
    quoted,
    shown,
    words,
)
from stillroom.edges.alembic.completing.operations import (
    AddFilledColumnOp,
    DropFilledColumnOp,
    Filling,
    RenameColumnOp,
    RenameTableOp,
    StatementOp,
    Way,
)
from stillroom.edges.alembic.enums import is_enum

GONE = "the values are gone: each row gets {}"
CANNOT = "the values are gone, and nothing can be put in their place: the column stays nullable"
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
    for table in [each for each in upgrade.ops if isinstance(each, ops.ModifyTableOps)]:
        if any(isinstance(each, ops.CreateTableOp) and _same(each, table) for each in upgrade.ops):
            continue
        for operation in list(table.ops):
            at = table.ops.index(operation)
            if isinstance(operation, ops.AddColumnOp) and _needs_value(operation.column):
                table.ops[at] = _filled(context, findings, operation)
            elif isinstance(operation, ops.DropColumnOp) and _needs_value(operation.to_column()):
                table.ops[at] = _refilled(operation)
            elif isinstance(operation, ops.AlterColumnOp) and operation.modify_nullable is False:
                table.ops[at:at] = _without_nulls(context, findings, operation, upgrade)


def _same(create: Any, table: Any) -> bool:
    return (create.schema, create.table_name) == (table.schema, table.table_name)


def _needs_value(column: Any) -> bool:
    has_own = column.server_default is not None or column.computed is not None or column.identity is not None
    return not column.nullable and not has_own and not _is_serial(column)


def _is_serial(column: Any) -> bool:
    table = getattr(column, "table", None)
    return table is not None and getattr(table, "_autoincrement_column", None) is column


def _filled(context: Any, findings: Findings, operation: Any) -> Any:
    column = operation.column
    subject = shown(operation.schema, operation.table_name, column.name)
    value = findings.find("fill", subject) or _model_value(column)
    if not value and _may_be_renamed(findings, operation):
        return operation
    if not value:
        text = f"{subject} is NOT NULL and has no default, so rows that are there already need a value"
        findings.questions.append(Question("fill", subject, text, proposal=_proposal(column), may_be_lost=False))
        return operation
    if is_constant(value):
        return AddFilledColumnOp.make(operation, Filling(value, is_constant=True))
    return AddFilledColumnOp.make(operation, Filling(value, key=_key_of(context, operation)))


def _may_be_renamed(findings: Findings, operation: Any) -> bool:
    """Say whether another question comes first: with a rename there are no rows without a value."""
    place = shown(operation.schema, operation.table_name)
    renames = [each for each in findings.questions if each.kind == "rename" and each.subject.startswith(f"{place}.")]
    return any(operation.column.name in each.choices for each in renames)


def _model_value(column: Any) -> str:
    """Write the constant that the models give to new rows."""
    default = column.default
    if default is None or not default.is_scalar:
        return ""
    if isinstance(column.type, JSON):
        return f"{literal(json.dumps(default.arg))}::{ddl_of(column.type)}"
    make: Any = postgresql.dialect
    try:
        bound = sa_literal(default.arg, column.type)
        return str(bound.compile(dialect=make(paramstyle="named"), compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError, ValueError, TypeError, AttributeError):
        return ""


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
    key = f"{operation.schema}.{operation.table_name}" if operation.schema else operation.table_name
    table = context.table_key_to_table.get(key)
    columns = [] if table is None else list(table.primary_key.columns)
    return str(columns[0].name) if len(columns) == 1 and columns[0].name != operation.column.name else ""


def _refilled(operation: Any) -> Any:
    column = operation.to_column()
    ddl = ddl_of(column.type)
    labels = tuple(str(each) for each in column.type.enums) if is_enum(column.type) else ()
    if _is_alone(column):
        value = find_distinct(ddl)
        filling = Filling(value, is_distinct=True, remark=GONE.format("one of its own") if value else CANNOT)
    else:
        value = "" if column.foreign_keys else find_neutral(ddl, labels)
        remark = GONE.format(value) if value else CANNOT
        filling = Filling(value, is_constant=bool(value) and is_constant(value), remark=remark)
    return DropFilledColumnOp.make(operation, filling)


def _is_alone(column: Any) -> bool:
    """Say whether no two rows may have the same value."""
    table = getattr(column, "table", None)
    if column.unique or column.primary_key or table is None:
        return bool(column.unique or column.primary_key)
    indexes = [each for each in table.indexes if each.unique]
    uniques = [
        each for each in table.constraints if type(each).__name__ in {"UniqueConstraint", "PrimaryKeyConstraint"}
    ]
    return any([one.name for one in each.columns] == [column.name] for each in [*indexes, *uniques])


def _without_nulls(context: Any, findings: Findings, operation: Any, upgrade: Any) -> list[Any]:
    """Fill the nulls of a column that may hold none any more; only where there are some, or the models name a value."""
    subject = shown(operation.schema, operation.table_name, operation.column_name)
    key = f"{operation.schema}.{operation.table_name}" if operation.schema else operation.table_name
    table = context.table_key_to_table.get(key)
    column = None if table is None else table.columns.get(operation.column_name)
    value = findings.find("fill", subject) or ("" if column is None else _model_value(column))
    if not value and column is not None and column.server_default is not None:
        value = "DEFAULT"
    if not value:
        count = _count_nulls(context.connection, operation, upgrade)
        if count:
            text = f"{subject} becomes NOT NULL, and {count} row{'s' if count != 1 else ''} here hold{'s' if count == 1 else ''} none"
            findings.questions.append(Question("fill", subject, text, may_be_lost=False))
        return []
    name, place = quoted(operation.column_name), quoted(operation.schema, operation.table_name)
    up = words("UPDATE", place, "SET", name, "=", value, "WHERE", name, "IS NULL")
    forward = Way((up,), f"fill {subject} with {value} where it is null")
    return [StatementOp("fill", forward, Way((), "nothing"), table=operation.table_name)]


def _count_nulls(connection: Any, operation: Any, upgrade: Any) -> int:
    table, column = operation.table_name, operation.column_name
    for each in flatten(upgrade):
        if isinstance(each, RenameColumnOp) and (each.table_name, each.new_name) == (table, column):
            column = each.column_name
    for each in flatten(upgrade):
        if isinstance(each, RenameTableOp) and each.new_table_name == table:
            table = each.table_name
    place = sql.Identifier(*([operation.schema] if operation.schema else []), table)
    query = sql.SQL("select pg_catalog.count(*) from {} where {} is null").format(place, sql.Identifier(column))
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
