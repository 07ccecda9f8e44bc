"""Foreign keys and indexes of tables that others use, in the form that does not stop them.

Source: PostgreSQL documentation, "ALTER TABLE" (NOT VALID looks at no row; VALIDATE CONSTRAINT locks out neither reads nor
writes) and "CREATE INDEX" (CONCURRENTLY, outside of a transaction).
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import render_op, renderers
from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import findings_of, flatten, quoted
from stillroom.edges.alembic.completing.rendering import BLOCK

OWN_REVISION = (
    "indexes are built in a revision of their own: `invoke migrate`, then `invoke make-migration --online` writes it"
)


class OnlineForeignKeyOp(ops.CreateForeignKeyOp):
    """A foreign key that is made without a look at the rows, which follows when the lock is gone."""


class ConcurrentIndexOp(ops.CreateIndexOp):
    """An index that is built while others write."""

    def reverse(self) -> ops.DropIndexOp:
        """Drop it while others write."""
        found = super().reverse()
        return ConcurrentDropOp(found.index_name, found.table_name, schema=found.schema, _reverse=self)


class ConcurrentDropOp(ops.DropIndexOp):
    """An index that is dropped while others write."""

    def reverse(self) -> ops.CreateIndexOp:
        """Build it while others write."""
        return _concurrent(super().reverse())


def go_online(context: Any, upgrade: Any) -> None:
    """Take the online form where it was asked for; an index that comes with something else waits for the next revision."""
    findings = findings_of(context)
    if not findings.answers.is_online:
        return
    new = {(each.schema, each.table_name) for each in upgrade.ops if isinstance(each, ops.CreateTableOp)}
    tables = [each for each in upgrade.ops if isinstance(each, ops.ModifyTableOps)]
    waiting = [each for table in tables if (table.schema, table.table_name) not in new for each in _indexes(table)]
    is_alone = len(list(flatten(upgrade))) == len(waiting)
    if waiting and not is_alone:
        findings.note(OWN_REVISION)
    for table in tables:
        if not is_alone:
            table.ops[:] = [each for each in table.ops if each not in waiting]
        table.ops[:] = [_online(each) if each in waiting or not _is_index(each) else each for each in table.ops]
    upgrade.ops[:] = [each for each in upgrade.ops if not isinstance(each, ops.ModifyTableOps) or each.ops]


def _indexes(table: Any) -> list[Any]:
    """The indexes that come, those that they take the place of, and those that go while the columns stay."""
    created = {each.index_name for each in table.ops if isinstance(each, ops.CreateIndexOp)}
    keeps_columns = not any(isinstance(each, ops.DropColumnOp) for each in table.ops)
    return [each for each in table.ops if _is_index(each) and (keeps_columns or each.index_name in created)]


def _is_index(operation: Any) -> bool:
    return isinstance(operation, ops.CreateIndexOp | ops.DropIndexOp)


def _online(operation: Any) -> Any:
    if isinstance(operation, ops.CreateIndexOp):
        return _concurrent(operation)
    if isinstance(operation, ops.DropIndexOp):
        return ConcurrentDropOp(
            operation.index_name, operation.table_name, schema=operation.schema, _reverse=operation._reverse
        )
    if isinstance(operation, ops.CreateForeignKeyOp):
        return OnlineForeignKeyOp(
            operation.constraint_name,
            operation.source_table,
            operation.referent_table,
            operation.local_cols,
            operation.remote_cols,
            **operation.kw,
        )
    return operation


def _concurrent(index: Any) -> ConcurrentIndexOp:
    return ConcurrentIndexOp(
        index.index_name, index.table_name, index.columns, schema=index.schema, unique=index.unique, **index.kw
    )


@renderers.dispatch_for(ConcurrentIndexOp)
def _create(context: Any, operation: ConcurrentIndexOp) -> list[str]:
    plain = ops.CreateIndexOp(
        operation.index_name,
        operation.table_name,
        operation.columns,
        schema=operation.schema,
        unique=operation.unique,
        **{**operation.kw, "postgresql_concurrently": True},
    )
    return [BLOCK, *render_op(context, plain), ""]


@renderers.dispatch_for(ConcurrentDropOp)
def _drop(context: Any, operation: ConcurrentDropOp) -> list[str]:
    plain = ops.DropIndexOp(
        operation.index_name, operation.table_name, schema=operation.schema, postgresql_concurrently=True
    )
    return [BLOCK, *render_op(context, plain), ""]


@renderers.dispatch_for(OnlineForeignKeyOp)
def _foreign_key(context: Any, operation: OnlineForeignKeyOp) -> list[str]:
    plain = ops.CreateForeignKeyOp(
        operation.constraint_name,
        operation.source_table,
        operation.referent_table,
        operation.local_cols,
        operation.remote_cols,
        **operation.kw,
    )
    (line,) = render_op(context, plain)
    table = quoted(operation.kw.get("source_schema"), operation.source_table)
    validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {quoted(str(operation.constraint_name))}"
    return [f"{line[:-1]}, postgresql_not_valid=True)", BLOCK, f"op.execute({validate!r})", ""]
