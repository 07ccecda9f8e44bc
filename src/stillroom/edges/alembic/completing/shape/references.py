"""Foreign keys and the keys that they refer to: PostgreSQL makes none before there is a key, and drops no key below one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.operations import ops

from stillroom.edges.alembic.completing.operations import live_names
from stillroom.edges.alembic.completing.places import changed_tables, model_of, table_key
from stillroom.edges.alembic.completing.shape.cycles import foreign_keys, key_of, leave_out, target_of
from stillroom.edges.alembic.completing.shape.lifting import lift_references
from stillroom.edges.alembic.completing.shape.primary_keys import CreatePrimaryKeyOp, DropPrimaryKeyOp


def order_references(context: Any, upgrade: Any) -> None:
    """Make foreign keys after the new keys that they refer to, and drop them before those that go."""
    tables = changed_tables(upgrade)
    for table in tables:
        for each in table.ops:
            made_by = getattr(each, "_reverse", None)
            if isinstance(each, ops.DropConstraintOp) and isinstance(made_by, ops.CreateUniqueConstraintOp):
                _lift(context, upgrade, table, tuple(map(str, made_by.columns)))
    new = {key_of(table) for table in tables if any(map(_makes_key, table.ops))}
    gone = {key_of(table) for table in tables if any(map(_drops_key, table.ops))}
    first = [each for table in tables for each in _taken(table, lambda one: _drops_reference(one, gone))]
    last = [*_inner(upgrade, new), *(each for table in tables for each in _taken(table, lambda one: _refers(one, new)))]
    upgrade.ops[:] = [*first, *(each for each in upgrade.ops if not _is_empty(each)), *last]


def _lift(context: Any, upgrade: Any, table: Any, columns: tuple[str, ...]) -> None:
    model = model_of(context, table.schema, table.table_name)
    if model is not None and columns:
        name, _ = live_names(upgrade, ops.DropColumnOp(table.table_name, columns[0], schema=table.schema))
        lift_references(context, upgrade, (table.schema, name, table.table_name), (columns, model))


def _makes_key(operation: Any) -> bool:
    is_index = isinstance(operation, ops.CreateIndexOp) and operation.unique
    return is_index or isinstance(operation, ops.CreateUniqueConstraintOp | CreatePrimaryKeyOp)


def _drops_key(operation: Any) -> bool:
    if isinstance(operation, DropPrimaryKeyOp) and not isinstance(operation, CreatePrimaryKeyOp):
        return True
    made_by = getattr(operation, "_reverse", None)
    return isinstance(operation, ops.DropIndexOp | ops.DropConstraintOp) and _makes_key(made_by)


def _refers(operation: Any, keyed: set[str]) -> bool:
    if not isinstance(operation, ops.CreateForeignKeyOp):
        return False
    return table_key(operation.kw.get("referent_schema"), operation.referent_table) in keyed


def _drops_reference(operation: Any, keyed: set[str]) -> bool:
    return isinstance(operation, ops.DropConstraintOp) and _refers(operation._reverse, keyed)


def _taken(table: Any, is_meant: Any) -> Iterator[Any]:
    found = [each for each in table.ops if is_meant(each)]
    if found:
        table.ops[:] = [each for each in table.ops if each not in found]
        yield ops.ModifyTableOps(table.table_name, found, schema=table.schema)


def _inner(upgrade: Any, keyed: set[str]) -> Iterator[Any]:
    """Take those of new tables out of them."""
    for create in [each for each in upgrade.ops if isinstance(each, ops.CreateTableOp)]:
        for constraint in foreign_keys(create):
            if target_of(constraint) in keyed:
                leave_out(create, constraint)
                yield ops.CreateForeignKeyOp.from_constraint(constraint)


def _is_empty(operation: Any) -> bool:
    return isinstance(operation, ops.ModifyTableOps) and operation.is_empty()
