"""What a revision does, noted while it runs against nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from alembic.operations import Operations
from alembic.operations import ops as alembic_ops
from alembic.operations.base import AbstractOperations
from sqlalchemy import DDL, Enum
from sqlalchemy.schema import DropTable, ExecutableDDLElement

from stillroom.core.operations import Operation

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext


@contextmanager
def recording(context: MigrationContext, seen: list[Operation]) -> Iterator[None]:
    """Make `alembic.op` note each operation before it is rendered, and what goes around it by `op.get_bind()`.

    The class is patched: `op.batch_alter_table` makes an object of its own, and Alembic's proxy knows its own class only.
    """
    operations, invoke, execute = Operations(context), AbstractOperations.invoke, context.impl._exec
    depth = 0

    def note(self: Any, operation: Any) -> Any:
        nonlocal depth
        seen.append(describe_operation(operation))
        depth += 1
        try:
            return invoke(self, operation)
        finally:
            depth -= 1

    def note_direct(construct: Any, *args: Any, **kwargs: Any) -> Any:
        if not depth:
            seen.append(_describe_statement(construct))
        return execute(construct, *args, **kwargs)

    setattr(AbstractOperations, "invoke", note)  # noqa: B010  (the type checker knows it as a method)
    setattr(context.impl, "_exec", note_direct)  # noqa: B010
    operations._install_proxy()
    try:
        yield
    finally:
        operations._remove_proxy()
        setattr(AbstractOperations, "invoke", invoke)  # noqa: B010


def _describe_statement(construct: Any) -> Operation:
    """Describe what was sent on the connection itself: DDL of SQLAlchemy's own is known, anything else is raw."""
    if isinstance(construct, DropTable):
        return Operation(
            "drop_table", construct.element.name, construct.element.schema, text=f"drop_table {construct.element.name}"
        )
    named = getattr(construct, "element", None)
    if isinstance(named, Enum):
        kind = "drop_enum" if "Drop" in type(construct).__name__ else "create_enum"
        return Operation(kind, text=f"{kind} {named.name}")
    if isinstance(construct, ExecutableDDLElement) and not isinstance(construct, DDL):
        return Operation("ddl", text=type(construct).__name__)
    return Operation("execute", text=" ".join(str(construct).split()))


def describe_operation(operation: Any) -> Operation:
    """Put one of Alembic's operation objects into a frozen value."""
    kind = getattr(operation, "kind", "") or next(
        (_KINDS[each] for each in type(operation).__mro__ if each in _KINDS), ""
    )
    kind = kind or type(operation).__name__.removesuffix("Op")
    table = str(getattr(operation, "table_name", "") or getattr(operation, "source_table", "") or "")
    column = getattr(operation, "column_name", "") or getattr(getattr(operation, "column", None), "name", "") or ""
    if getattr(operation, "text", ""):
        return Operation(kind, table, getattr(operation, "schema", None), str(column), operation.text)
    if kind == "execute":
        return Operation(kind, text=" ".join(str(operation.sqltext).split()))
    name = getattr(operation, "index_name", None) or getattr(operation, "constraint_name", None) or ""
    what = ".".join(str(each) for each in (table, column) if each)
    new = next(
        filter(None, (getattr(operation, each, "") for each in ("new_name", "new_table_name", "modify_name"))), ""
    )
    if new and isinstance(operation, alembic_ops.AlterColumnOp):
        kind = "rename_column"
    text = " ".join(
        each for each in (kind, str(name), f"on {what}" if name and what else what, f"to {new}" if new else "") if each
    )
    return Operation(kind, table, getattr(operation, "schema", None), str(column), text)


_KINDS = {
    alembic_ops.CreateTableOp: "create_table",
    alembic_ops.DropTableOp: "drop_table",
    alembic_ops.AddColumnOp: "add_column",
    alembic_ops.DropColumnOp: "drop_column",
    alembic_ops.AlterColumnOp: "alter_column",
    alembic_ops.CreateIndexOp: "create_index",
    alembic_ops.DropIndexOp: "drop_index",
    alembic_ops.CreateForeignKeyOp: "create_foreign_key",
    alembic_ops.CreateUniqueConstraintOp: "create_unique_constraint",
    alembic_ops.CreateCheckConstraintOp: "create_check_constraint",
    alembic_ops.CreatePrimaryKeyOp: "create_primary_key",
    alembic_ops.DropConstraintOp: "drop_constraint",
    alembic_ops.RenameTableOp: "rename_table",
    alembic_ops.ExecuteSQLOp: "execute",
    alembic_ops.BulkInsertOp: "bulk_insert",
    alembic_ops.CreateTableCommentOp: "create_table_comment",
    alembic_ops.DropTableCommentOp: "drop_table_comment",
}
