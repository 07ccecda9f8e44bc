"""A primary key of other columns: taken away before its columns go, and made anew when all of them are there.

Alembic compares none. A model without a primary key says nothing of the database's; the order of the columns is not compared.
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import ops
from alembic.util import PriorityDispatchResult

from stillroom.core.constraint_names import ConstraintNames
from stillroom.edges.alembic.completing.findings import plain_name
from stillroom.edges.alembic.completing.operations import RenameColumnOp
from stillroom.edges.alembic.completing.places import changed_tables, in_schema
from stillroom.edges.alembic.completing.shape.lifting import lift_references

KEY = "stillroom_primary_keys"


class DropPrimaryKeyOp(ops.MigrateOperation):
    """A primary key that goes."""

    kind, verb = "drop_primary_key", "drop"

    def __init__(self, table: str, name: str, columns: tuple[str, ...], *, schema: str | None = None) -> None:
        self.table_name, self.constraint_name, self.columns, self.schema = table, name, columns, schema

    @property
    def text(self) -> str:
        """One line for a reader."""
        return f"{self.verb}_primary_key {self.table_name} ({', '.join(self.columns)})"

    def reverse(self) -> ops.MigrateOperation:
        """Make it again."""
        return CreatePrimaryKeyOp(self.table_name, self.constraint_name, self.columns, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, self.schema, self.table_name, self.columns)


class CreatePrimaryKeyOp(DropPrimaryKeyOp):
    """A primary key that comes; Alembic's own cannot be rendered."""

    kind, verb = "create_primary_key", "create"

    def reverse(self) -> ops.MigrateOperation:
        """Take it away."""
        return DropPrimaryKeyOp(self.table_name, self.constraint_name, self.columns, schema=self.schema)


@renderers.dispatch_for(DropPrimaryKeyOp)
def _drop(context: Any, operation: DropPrimaryKeyOp) -> str:
    del context
    return f"op.drop_constraint({operation.constraint_name!r}, {operation.table_name!r}, type_='primary'{in_schema(operation.schema)})"


@renderers.dispatch_for(CreatePrimaryKeyOp)
def _create(context: Any, operation: CreatePrimaryKeyOp) -> str:
    del context
    columns = list(operation.columns)
    return f"op.create_primary_key({operation.constraint_name!r}, {operation.table_name!r}, {columns!r}{in_schema(operation.schema)})"


def remember_keys(context: Any, table: Any, *place_and_tables: Any) -> PriorityDispatchResult:
    """Be a comparator of tables: keep both primary keys until it is known which columns were renamed."""
    *_place, live, model = place_and_tables
    if live is not None and model is not None and model.primary_key.columns:
        context.opts.setdefault(KEY, []).append((table.schema, str(table.table_name), live, model))
    return PriorityDispatchResult.CONTINUE


def settle_primary_keys(context: Any, upgrade: Any) -> None:
    """Exchange the primary keys that have other columns."""
    renames = {
        (each.schema, each.table_name, each.column_name): each.new_name
        for each in upgrade.ops
        if isinstance(each, RenameColumnOp)
    } | {
        (each.schema, each.table_name, each.column_name): each.new_name
        for table in changed_tables(upgrade)
        for each in table.ops
        if isinstance(each, RenameColumnOp)
    }
    for schema, name, live, model in context.opts.pop(KEY, []):
        old = tuple(plain_name(each.name) for each in live.primary_key.columns)
        now = {renames.get((schema, name, each), each) for each in old}
        new = tuple(plain_name(each.name) for each in model.primary_key.columns)
        if now != set(new):
            lift_references(context, upgrade, (schema, str(live.name), name), (old, model))
            _exchange(upgrade, (schema, name), (live, old), (model, new))


def _exchange(upgrade: Any, place: tuple[str | None, str], before: Any, after: Any) -> None:
    (schema, name), (live, old), (model, new) = place, before, after
    table = next((each for each in changed_tables(upgrade) if (each.schema, each.table_name) == place), None)
    if table is None:
        table = ops.ModifyTableOps(name, [], schema=schema)
        upgrade.ops.append(table)
    given = model.primary_key.name
    own = plain_name(given) if isinstance(given, str) else None
    there = plain_name(live.primary_key.name) if live.primary_key.name else None
    made = CreatePrimaryKeyOp(name, own or there or ConstraintNames().make(name, (), "pkey"), new, schema=schema)
    at = next((at for at, each in enumerate(table.ops) if isinstance(each, ops.DropColumnOp)), len(table.ops))
    table.ops.insert(at, made)
    if old and there:
        table.ops.insert(0, DropPrimaryKeyOp(name, there, old, schema=schema))
