"""Names for constraints that have none: the one PostgreSQL would give, so that whoever drops it later can name it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic.operations import ops
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint

from stillroom.core.constraint_names import ConstraintNames
from stillroom.edges.alembic.completing.findings import flatten, plain_name

_TAKEN = """
select n.nspname::text, x.name, n.nspname = pg_catalog.current_schema() from pg_catalog.pg_namespace n join (
  select c.relnamespace, c.relname::text from pg_catalog.pg_class c
  union select k.connamespace, k.conname::text from pg_catalog.pg_constraint k) as x (place, name) on x.place = n.oid
where n.nspname::text !~ '^pg_'::text and n.nspname::text <> 'information_schema'::text
"""
NAMED = ops.CreateUniqueConstraintOp | ops.CreateForeignKeyOp | ops.CreateCheckConstraintOp


def name_everything(context: Any, upgrade: Any) -> None:
    """Name the constraints of new tables and the ones that come and go alone."""
    if not any(isinstance(each, ops.CreateTableOp) or _is_unnamed(each) for each in flatten(upgrade)):
        return
    names = ConstraintNames(_read_taken(context.connection))
    for place, operation in enumerate(upgrade.ops):
        if isinstance(operation, ops.CreateTableOp):
            upgrade.ops[place] = _with_names(operation, names)
    name_constraints(flatten(upgrade), names)


def _read_taken(connection: Any) -> set[tuple[str | None, str]]:
    """Read what has a name: relations and constraints, by schema; PostgreSQL looks at both before it gives one."""
    rows = connection.exec_driver_sql(_TAKEN).all()
    return {(None if near else schema, name) for schema, name, near in rows} | {row[:2] for row in rows}


def name_constraints(operations: Iterable[Any], names: ConstraintNames) -> None:
    """Give a constraint without a name the one PostgreSQL would: a drop without a name cannot run."""
    for operation in operations:
        if isinstance(operation, ops.DropIndexOp | ops.DropConstraintOp):
            gone = operation.index_name if isinstance(operation, ops.DropIndexOp) else operation.constraint_name
            if gone is not None:
                names.free(plain_name(gone), operation.schema)
        if not _is_unnamed(operation):
            continue
        made = operation._reverse if isinstance(operation, ops.DropConstraintOp) else operation
        operation.constraint_name = _name(made, names)


def _is_unnamed(operation: Any) -> bool:
    if isinstance(operation, ops.DropConstraintOp):
        return operation.constraint_name is None and operation._reverse is not None
    return isinstance(operation, NAMED) and operation.constraint_name is None


def _name(operation: Any, names: ConstraintNames) -> str:
    if isinstance(operation, ops.CreateForeignKeyOp):
        schema = operation.kw.get("source_schema")
        return names.make(operation.source_table, operation.local_cols, "fkey", schema=schema)
    if isinstance(operation, ops.CreateUniqueConstraintOp):
        return names.make(operation.table_name, operation.columns, "key", schema=operation.schema)
    return names.make(operation.table_name, (), "check", schema=operation.schema)


def _with_names(operation: Any, names: ConstraintNames) -> Any:
    table = operation.to_table()
    for constraint, name in name_unnamed(table, names):
        constraint.name = name
    made = ops.CreateTableOp.from_table(table, _namespace_metadata=operation._namespace_metadata)
    made.if_not_exists = operation.if_not_exists
    return made


def name_unnamed(table: Any, names: ConstraintNames) -> list[tuple[Any, str | None]]:
    """Find a name for each constraint of a table that has none."""
    unnamed = [each for each in table.constraints if each.name is None and not getattr(each, "_type_bound", False)]
    return [(each, _name_of(each, table, names)) for each in sorted(unnamed, key=_order)]


def _name_of(constraint: Any, table: Any, names: ConstraintNames) -> str | None:
    columns = [each.name for each in constraint.columns]
    if isinstance(constraint, PrimaryKeyConstraint):
        return names.make(table.name, (), "pkey", schema=table.schema) if columns else None
    if isinstance(constraint, ForeignKeyConstraint):
        return names.make(table.name, constraint.column_keys, "fkey", schema=table.schema)
    if isinstance(constraint, UniqueConstraint):
        return names.make(table.name, columns, "key", schema=table.schema)
    if isinstance(constraint, CheckConstraint):
        return names.make(table.name, columns if len(columns) == 1 else (), "check", schema=table.schema)
    return names.make(table.name, columns, "excl", schema=table.schema)


def _order(constraint: Any) -> tuple[str, str]:
    return type(constraint).__name__, ",".join(each.name for each in constraint.columns)
