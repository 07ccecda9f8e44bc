"""Enum types as operations, and as plain SQLAlchemy in a revision."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import ops
from sqlalchemy import Enum


class CreateEnumOp(ops.MigrateOperation):
    """Make an enum type; rendered as plain SQLAlchemy, so that the revision needs nothing of ours."""

    kind = "create_enum"

    def __init__(self, item: Enum) -> None:
        self.item = item

    def reverse(self) -> CreateEnumOp:
        """Drop it again."""
        return DropEnumOp(self.item)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Tell `alembic check` what it is."""
        return (self.kind, self.item.name)


class DropEnumOp(CreateEnumOp):
    """Drop an enum type."""

    kind = "drop_enum"

    def reverse(self) -> CreateEnumOp:
        """Make it again."""
        return CreateEnumOp(self.item)


def is_enum(item: Any) -> bool:
    """Say whether a type is an enum type of the server's own, with a name."""
    return isinstance(item, Enum) and item.native_enum and bool(item.name)


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
