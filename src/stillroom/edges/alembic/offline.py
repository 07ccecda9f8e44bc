"""A revision's operations and SQL, found by running its function against nothing."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.operations import Operations
from alembic.operations import ops as alembic_ops
from alembic.operations.base import AbstractOperations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import DDL
from sqlalchemy.schema import DropTable, ExecutableDDLElement

from stillroom.core.operations import Operation
from stillroom.edges.alembic.config import load_scripts, make_config

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

    from stillroom.core.layout import Layout
    from stillroom.core.plan import Plan


@dataclass(frozen=True)
class Rendered:
    """One step without a database.

    Args:
        revision: Its id.
        message: First line of its docstring.
        sql: What would be sent, a statement a line or more.
        operations: What it does.
        problem: Why it could not be rendered; empty when it could.
        is_missing: The file has no such function.
    """

    revision: str
    message: str
    sql: str
    operations: tuple[Operation, ...]
    problem: str = ""
    is_missing: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether the step does nothing."""
        return not self.operations and not self.problem


def render_plan(layout: Layout, plan: Plan) -> tuple[Rendered, ...]:
    """Render each step of a plan.

    Raises:
        RefusedError: A revision does not import.
    """
    scripts = open_scripts(layout)
    return tuple(render_step(scripts, revision, plan.direction) for revision in plan.steps)


def open_scripts(layout: Layout) -> ScriptDirectory:
    """Import the revisions.

    Raises:
        RefusedError: One does not import.
    """
    return load_scripts(make_config(layout))


def render_step(scripts: ScriptDirectory, revision: str, direction: str) -> Rendered:
    """Run upgrade() or downgrade() of one revision without a connection."""
    script = scripts.get_revision(revision)
    assert script is not None
    message = (script.doc or "").split("\n")[0]
    if not callable(getattr(script.module, direction, None)):
        return Rendered(revision, message, "", (), f"it has no {direction}()", is_missing=True)
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": buffer, "literal_binds": True, "transactional_ddl": True}
    )
    seen: list[Operation] = []
    problem = ""
    try:
        with redirect_stdout(sys.stderr), _recording(context, seen):
            getattr(script.module, direction)()
    except (Exception, SystemExit) as error: # (a revision is anybody's code; what it raised is shown)
        problem = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    sql = "\n".join(line for line in buffer.getvalue().strip().splitlines())
    return Rendered(revision, message, sql, tuple(seen), problem)


@contextmanager
def _recording(context: MigrationContext, seen: list[Operation]) -> Iterator[None]:
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
        return Operation("drop_table", construct.element.name, construct.element.schema, text=f"drop_table {construct.element.name}")
    if isinstance(construct, ExecutableDDLElement) and not isinstance(construct, DDL):
        return Operation("ddl", text=type(construct).__name__)
    return Operation("execute", text=" ".join(str(construct).split()))


def describe_operation(operation: Any) -> Operation:
    """Put one of Alembic's operation objects into a frozen value."""
    kind = _KINDS.get(type(operation), type(operation).__name__.removesuffix("Op"))
    table = str(getattr(operation, "table_name", "") or getattr(operation, "source_table", "") or "")
    column = getattr(operation, "column_name", "") or getattr(getattr(operation, "column", None), "name", "") or ""
    if kind == "execute":
        return Operation(kind, text=" ".join(str(operation.sqltext).split()))
    name = getattr(operation, "index_name", None) or getattr(operation, "constraint_name", None) or ""
    what = ".".join(str(each) for each in (table, column) if each)
    text = " ".join(each for each in (kind, str(name), f"on {what}" if name and what else what) if each)
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
