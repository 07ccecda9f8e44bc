"""Our operations as lines of a revision that needs nothing but Alembic and SQLAlchemy (and `backfill`, where it is used)."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import _render_server_default, render_op, renderers
from alembic.operations import ops
from alembic.util import CommandError
from sqlalchemy import text

from stillroom.core.casts import find_using
from stillroom.edges.alembic.completing.findings import ddl_of, quoted, words
from stillroom.edges.alembic.completing.operations import (
    AddFilledColumnOp,
    ChangeIdentityOp,
    Filling,
    RenameColumnOp,
    RenameTableOp,
    RetypeColumnOp,
    StatementOp,
    UnansweredOp,
)
from stillroom.edges.alembic.completing.places import altered, in_schema
from stillroom.edges.alembic.completing.texts import escaped
from stillroom.edges.alembic.enums import is_enum

BLOCK = "with op.get_context().autocommit_block():"


@renderers.dispatch_for(StatementOp)
def _statement(context: Any, operation: StatementOp) -> list[str]:
    del context
    lines = [f"op.execute({escaped(each)!r})" for each in operation.up.statements]
    if operation.up.alone and lines:
        lines = [BLOCK, *lines, ""]
    return [f"# {operation.up.remark}", *(lines or ["pass"])] if operation.up.remark else lines


@renderers.dispatch_for(RenameColumnOp)
def _rename_column(context: Any, operation: RenameColumnOp) -> str:
    del context
    return (
        f"op.alter_column({operation.table_name!r}, {operation.column_name!r}, "
        f"new_column_name={operation.new_name!r}{in_schema(operation.schema)})"
    )


@renderers.dispatch_for(RenameTableOp)
def _rename_table(context: Any, operation: RenameTableOp) -> str:
    del context
    return f"op.rename_table({operation.table_name!r}, {operation.new_table_name!r}{in_schema(operation.schema)})"


@renderers.dispatch_for(UnansweredOp)
def _unanswered(context: Any, operation: UnansweredOp) -> list[str]:
    del context
    if operation.questions:
        texts = "; ".join(each.text for each in operation.questions)
        flags = " or ".join(
            f"`-x {flag.removeprefix('--').replace(' ', '=', 1)}`"
            for each in operation.questions
            for flag in each.flags
        )
        hint = f"answer with {flags}; or use `invoke make-migration`, which asks" if flags else "nothing was written"
        raise CommandError(f"{texts}\nhint:  {hint}")
    return []


@renderers.dispatch_for(ChangeIdentityOp)
def _change_identity(context: Any, operation: ChangeIdentityOp) -> str:
    facets = ("existing_type", "existing_nullable", "modify_nullable", "modify_server_default")
    plain = altered(ops.AlterColumnOp, operation, *facets)
    (line,) = render_op(context, plain)
    before = _render_server_default(operation.existing_server_default or None, context)
    return f"{line[:-1]},\n           existing_server_default={before})"


@renderers.dispatch_for(RetypeColumnOp)
def _retype(context: Any, operation: RetypeColumnOp) -> str:
    both = ("type", "nullable", "comment")
    facets = (f"{verb}_{each}" for verb in ("existing", "modify") for each in both)
    plain = altered(ops.AlterColumnOp, operation, *facets)
    (line,) = render_op(context, plain)
    using = using_of(operation)
    return f"{line[:-1]},\n           postgresql_using={using!r})" if using else line


def using_of(operation: Any, column: str = "") -> str:
    """Write the conversion of a change of type; of the column under another name, when one is given."""
    old, new = operation.existing_type, operation.modify_type
    return find_using(
        quoted(column or operation.column_name),
        ddl_of(old),
        ddl_of(new),
        old_is_enum=is_enum(old),
        new_is_enum=is_enum(new),
    )


@renderers.dispatch_for(AddFilledColumnOp)
def _add_filled(context: Any, operation: AddFilledColumnOp) -> list[str]:
    filling, column = operation.filling, operation.column._copy()
    lines = [f"# {filling.remark}"] if filling.remark else []
    if filling.is_constant:
        column.server_default = None
        column = _with_default(column, filling.value)
    else:
        column.nullable = True
    default = column.server_default
    if not filling.value:
        column.server_default = None
    plain = ops.AddColumnOp(operation.table_name, column, schema=operation.schema)
    lines += render_op(context, plain)
    if filling.is_constant:
        end = ops.AlterColumnOp(operation.table_name, column.name, schema=operation.schema, modify_server_default=None)
        return [*lines, *render_op(context, end)]
    if not filling.value and default is not None:
        again = ops.AlterColumnOp(
            operation.table_name, column.name, schema=operation.schema, modify_server_default=default
        )
        return [*lines, *render_op(context, again)]
    if not filling.value:
        return lines
    if operation.column.nullable:
        return [*lines, *_fill(context, operation, filling)]
    not_null = ops.AlterColumnOp(
        operation.table_name,
        column.name,
        schema=operation.schema,
        existing_type=column.type,
        modify_nullable=False,
    )
    return [*lines, *_fill(context, operation, filling), *render_op(context, not_null)]


def _with_default(column: Any, value: str) -> Any:
    from sqlalchemy import DefaultClause

    default = DefaultClause(text(escaped(value)))
    default._set_parent(column)
    return column


def _fill(context: Any, operation: AddFilledColumnOp, filling: Filling) -> list[str]:
    name, table = quoted(operation.column.name), quoted(operation.schema, operation.table_name)
    update = words("UPDATE", table, "SET", name, "=", filling.value)
    if filling.is_distinct:
        numbered = words("(SELECT ctid AS place, row_number() OVER () AS n FROM", table + ")", "AS numbered")
        update = words(update, "FROM", numbered, "WHERE", f"{table}.ctid = numbered.place")
    if filling.is_distinct or not filling.key:
        return [f"op.execute({escaped(update)!r})"]
    context.imports.add("from stillroom import backfill")
    whole = ".".join([*([operation.schema] if operation.schema else []), operation.table_name])
    key = "" if filling.key == "id" else f", key={filling.key!r}"
    return [f"backfill({whole!r}, {f'{name} = {filling.value}'!r}, where={f'{name} IS NULL'!r}{key})"]
