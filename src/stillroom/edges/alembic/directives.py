"""Complete what autogenerate found: names for constraints that have none, and the enum types that columns need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import ops

from stillroom.core.constraint_names import ConstraintNames
from stillroom.edges.alembic.enums import add_enum_types


def complete_directives(migration: Any, revision: Any, directives: list[Any]) -> None:
    """Be Alembic's `process_revision_directives` hook, behind the project's own."""
    for script in directives:
        for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
            name_constraints(flatten(upgrade))
            # The other way round: the second of two equal names gets its number in both.
            name_constraints(reversed(list(flatten(downgrade))))
            add_enum_types(migration, upgrade, downgrade)


def name_constraints(operations: Iterable[Any]) -> None:
    """Give a constraint without a name the one PostgreSQL would: a drop without a name cannot run."""
    names = ConstraintNames()
    for operation in operations:
        if isinstance(operation, ops.CreateUniqueConstraintOp | ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp):
            if operation.constraint_name is None:
                operation.constraint_name = _name(operation, names)
        elif isinstance(operation, ops.DropConstraintOp) and operation.constraint_name is None and operation._reverse:
            operation.constraint_name = _name(operation._reverse, names)


def flatten(container: Any) -> Iterator[Any]:
    """Yield the operations of a container and of those in it."""
    for operation in container.ops:
        if isinstance(operation, ops.OpContainer):
            yield from flatten(operation)
        else:
            yield operation


def _name(operation: Any, names: ConstraintNames) -> str:
    if isinstance(operation, ops.CreateForeignKeyOp):
        return names.make(operation.source_table, operation.local_cols, "fkey")
    if isinstance(operation, ops.CreateUniqueConstraintOp):
        return names.make(operation.table_name, operation.columns, "key")
    return names.make(operation.table_name, (), "check")
