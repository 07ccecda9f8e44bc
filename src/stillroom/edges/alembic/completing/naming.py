"""Names for constraints that have none: the one PostgreSQL would give, so that whoever drops it later can name it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic.operations import ops
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint

from stillroom.core.constraint_names import ConstraintNames
from stillroom.edges.alembic.completing.findings import flatten


def name_everything(_context: Any, upgrade: Any) -> None:
    """Name the constraints of new tables and the ones that come and go alone."""
    names = ConstraintNames()
    for place, operation in enumerate(upgrade.ops):
        if isinstance(operation, ops.CreateTableOp):
            upgrade.ops[place] = _with_names(operation, names)
    name_constraints(flatten(upgrade), names)


def name_constraints(operations: Iterable[Any], names: ConstraintNames) -> None:
    """Give a constraint without a name the one PostgreSQL would: a drop without a name cannot run."""
    for operation in operations:
        if isinstance(operation, ops.CreateUniqueConstraintOp | ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp):
            if operation.constraint_name is None:
                operation.constraint_name = _name(operation, names)
        elif isinstance(operation, ops.DropConstraintOp) and operation.constraint_name is None and operation._reverse:
            operation.constraint_name = _name(operation._reverse, names)


def _name(operation: Any, names: ConstraintNames) -> str:
    if isinstance(operation, ops.CreateForeignKeyOp):
        return names.make(operation.source_table, operation.local_cols, "fkey")
    if isinstance(operation, ops.CreateUniqueConstraintOp):
        return names.make(operation.table_name, operation.columns, "key")
    return names.make(operation.table_name, (), "check")


def _with_names(operation: Any, names: ConstraintNames) -> Any:
    table = operation.to_table()
    unnamed = [each for each in table.constraints if each.name is None and not getattr(each, "_type_bound", False)]
    for constraint in sorted(unnamed, key=_order):
        columns = [each.name for each in constraint.columns]
        if isinstance(constraint, PrimaryKeyConstraint):
            constraint.name = names.make(table.name, (), "pkey") if columns else None
        elif isinstance(constraint, ForeignKeyConstraint):
            constraint.name = names.make(table.name, constraint.column_keys, "fkey")
        elif isinstance(constraint, UniqueConstraint):
            constraint.name = names.make(table.name, columns, "key")
        elif isinstance(constraint, CheckConstraint):
            constraint.name = names.make(table.name, columns if len(columns) == 1 else (), "check")
        else:
            constraint.name = names.make(table.name, columns, "excl")
    made = ops.CreateTableOp.from_table(table, _namespace_metadata=operation._namespace_metadata)
    made.if_not_exists = operation.if_not_exists
    return made


def _order(constraint: Any) -> tuple[str, str]:
    return type(constraint).__name__, ",".join(each.name for each in constraint.columns)
