"""A table that keeps its rows under another name, compared with its model as if it had that name already."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import plain_name
from stillroom.edges.alembic.completing.operations import RenameTableOp
from stillroom.edges.alembic.completing.places import table_key


def compare_renamed(context: Any, upgrade: Any, drop: Any, create: Any) -> None:
    """Replace the drop and the create by a rename and what else differs.

    Args:
        context: Alembic's autogenerate context.
        upgrade: The operations; changed in place.
        drop: The table as it is in the database.
        create: The table as the models have it.
    """
    schema, old, new = drop.schema, drop.table_name, create.table_name
    live, model = drop.to_table(), _model_of(context, create)
    changes = ops.ModifyTableOps(new, [], schema=schema)
    _add_columns(context, changes, live, model)
    context.comparators.dispatch("table", qualifier=context.dialect.name)(context, changes, schema, old, live, model)
    _drop_columns(changes, live, model)
    for each in changes.ops:
        _move(each, old, new)
    mine = [each for each in upgrade.ops if isinstance(each, ops.ModifyTableOps) and each.schema == schema]
    gone = [drop, create, *(each for each in mine if each.table_name in {old, new})]
    rename = RenameTableOp(plain_name(old), plain_name(new), schema=schema)
    upgrade.ops[:] = [rename, *(each for each in upgrade.ops if each not in gone), changes]


def _model_of(context: Any, create: Any) -> Any:
    key = table_key(create.schema, create.table_name)
    return context.table_key_to_table.get(key, create.to_table())


def _add_columns(context: Any, changes: Any, live: Any, model: Any) -> None:
    for column in model.columns:
        if column.name not in live.columns:
            changes.ops.append(ops.AddColumnOp.from_column_and_tablename(changes.schema, changes.table_name, column))
            continue
        change = ops.AlterColumnOp(changes.table_name, column.name, schema=changes.schema)
        context.comparators.dispatch("column", qualifier=context.dialect.name)(
            context, change, changes.schema, live.name, column.name, live.columns[column.name], column
        )
        if change.has_changes():
            changes.ops.append(change)


def _drop_columns(changes: Any, live: Any, model: Any) -> None:
    for column in live.columns:
        if column.name not in model.columns:
            changes.ops.append(ops.DropColumnOp.from_column_and_tablename(changes.schema, changes.table_name, column))


def _move(operation: Any, old: str, new: str) -> None:
    for name in ("table_name", "source_table"):
        if getattr(operation, name, None) == old:
            setattr(operation, name, new)
    back = getattr(operation, "_reverse", None)
    if back is not None and not isinstance(operation, ops.DropColumnOp):
        _move(back, old, new)
