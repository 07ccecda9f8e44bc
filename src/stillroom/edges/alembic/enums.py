"""Enum types: made before the first column that needs them, dropped after the last one is gone.

Alembic leaves both out: a downgrade that drops the table keeps the type, and the next upgrade fails on it; a column
added to a table gets no type at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import ops
from sqlalchemy import Enum

_EXISTING = """
select n.nspname, t.typname, pg_catalog.pg_type_is_visible(t.oid) from pg_type t join pg_namespace n on n.oid = t.typnamespace
where t.typtype = 'e'
"""


class CreateEnumOp(ops.MigrateOperation):
    """Make an enum type; rendered as plain SQLAlchemy, so that the revision needs nothing of ours."""

    kind = "create_enum"

    def __init__(self, item: Enum) -> None:
        self.item = item

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, self.item.name)


class DropEnumOp(CreateEnumOp):
    """Drop an enum type."""

    kind = "drop_enum"


def add_enum_types(migration: Any, upgrade: Any, downgrade: Any) -> None:
    """Put the making of new types before everything else, and their end after everything else."""
    needed = {(each.schema, each.name): each for each in _needed(upgrade)}
    if not needed or migration.connection is None:
        return
    existing: set[tuple[str | None, str]] = set()
    for schema, name, is_visible in migration.connection.exec_driver_sql(_EXISTING).all():
        existing |= {(schema, name), *([(None, name)] if is_visible else [])}
    new = [each for key, each in needed.items() if key not in existing]
    upgrade.ops[:0] = [CreateEnumOp(each) for each in new]
    downgrade.ops.extend(DropEnumOp(each) for each in reversed(new))


def _needed(container: Any) -> Iterable[Enum]:
    for operation in container.ops:
        if isinstance(operation, ops.OpContainer):
            yield from _needed(operation)
        elif isinstance(operation, ops.CreateTableOp):
            yield from _enums(getattr(each, "type", None) for each in operation.columns)
        elif isinstance(operation, ops.AddColumnOp):
            yield from _enums([operation.column.type])
        elif isinstance(operation, ops.AlterColumnOp):
            yield from _enums([operation.modify_type])


def _enums(types: Iterable[Any]) -> Iterable[Enum]:
    """Pick the enum types, those of arrays included."""
    inner = (getattr(each, "item_type", each) for each in types)
    return (each for each in inner if isinstance(each, Enum) and each.native_enum and each.name)


def render_enum(item: Any, *, is_column: bool = True) -> str:
    """Write the type as PostgreSQL's own; a column never makes it by itself."""
    values = [repr(str(each)) for each in item.enums]
    options = [f"name={str(item.name)!r}"]
    options += [f"schema={str(item.schema)!r}"] if item.schema else []
    options += ["create_type=False"] if is_column else []
    return f"postgresql.ENUM({', '.join([*values, *options])})"


@renderers.dispatch_for(CreateEnumOp)
def _render_create(context: Any, operation: CreateEnumOp) -> str:
    return _render(context, operation, "create")


@renderers.dispatch_for(DropEnumOp)
def _render_drop(context: Any, operation: DropEnumOp) -> str:
    return _render(context, operation, "drop")


def _render(context: Any, operation: CreateEnumOp, verb: str) -> str:
    context.imports.add("from sqlalchemy.dialects import postgresql")
    return f"{render_enum(operation.item, is_column=False)}.{verb}(op.get_bind(), checkfirst=False)"
