"""Foreign keys, unique constraints and indexes of tables that others use, in the form that does not stop them.

Source: PostgreSQL documentation, "ALTER TABLE" (NOT VALID looks at no row; VALIDATE CONSTRAINT locks out neither reads nor
writes; USING INDEX takes an index that is there) and "CREATE INDEX" (CONCURRENTLY, outside of a transaction, and not for
partitioned tables).
"""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import render_op, renderers
from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import findings_of, flatten, plain_name, quoted
from stillroom.edges.alembic.completing.places import changed_tables
from stillroom.edges.alembic.completing.rendering import BLOCK
from stillroom.edges.alembic.completing.shape.online_not import keep_plain

OWN_REVISION = (
    "indexes are built in a revision of their own: `invoke migrate`, then `invoke make-migration --online` writes it"
)


class OnlineForeignKeyOp(ops.CreateForeignKeyOp):
    """A foreign key that is made without a look at the rows, which follows when the lock is gone."""


class OnlineUniqueOp(ops.CreateUniqueConstraintOp):
    """A unique constraint on an index that was built while others write."""


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
    tables = changed_tables(upgrade)
    plain = keep_plain(context, tables, upgrade)
    waiting = [
        each for table in tables if (table.schema, table.table_name) not in new for each in _waiting(table, plain)
    ]
    is_alone = len(list(flatten(upgrade))) == len(waiting)
    if waiting and not is_alone:
        findings.note(OWN_REVISION)
    for table in tables:
        if not is_alone:
            table.ops[:] = [each for each in table.ops if each not in waiting]
        table.ops[:] = [_online(each) if each in waiting or _is_key(each, plain) else each for each in table.ops]
    upgrade.ops[:] = [each for each in upgrade.ops if not isinstance(each, ops.ModifyTableOps) or each.ops]


def _waiting(table: Any, plain: list[Any]) -> list[Any]:
    """The indexes that come, those that they take the place of, and those that go while the columns stay."""
    created = {_name_of(each) for each in table.ops if _is_built(each) and each not in plain}
    keeps_columns = not any(isinstance(each, ops.DropColumnOp) for each in table.ops)
    found = [each for each in table.ops if _is_index(each) or isinstance(each, ops.CreateUniqueConstraintOp)]
    found = [each for each in found if each not in plain and (keeps_columns or _name_of(each) in created)]
    return [*(each for each in table.ops if _makes_room(each, found)), *found]


def _is_built(operation: Any) -> bool:
    return isinstance(operation, ops.CreateIndexOp | ops.CreateUniqueConstraintOp)


def _is_key(operation: Any, plain: list[Any]) -> bool:
    return isinstance(operation, ops.CreateForeignKeyOp) and operation not in plain


def _makes_room(operation: Any, built: list[Any]) -> bool:
    """Say whether a constraint goes because another one comes under its name."""
    names = {_name_of(each) for each in built if isinstance(each, ops.CreateUniqueConstraintOp)}
    return isinstance(operation, ops.DropConstraintOp) and operation.constraint_name in names


def _name_of(operation: Any) -> str:
    return plain_name(operation.index_name if _is_index(operation) else operation.constraint_name)


def _is_index(operation: Any) -> bool:
    return isinstance(operation, ops.CreateIndexOp | ops.DropIndexOp)


def _online(operation: Any) -> Any:
    if isinstance(operation, ops.CreateIndexOp):
        return _concurrent(operation)
    if isinstance(operation, ops.DropIndexOp):
        return ConcurrentDropOp(
            operation.index_name, operation.table_name, schema=operation.schema, _reverse=operation._reverse
        )
    if isinstance(operation, ops.CreateUniqueConstraintOp):
        return OnlineUniqueOp(
            operation.constraint_name, operation.table_name, operation.columns, schema=operation.schema
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


@renderers.dispatch_for(OnlineUniqueOp)
def _unique(context: Any, operation: OnlineUniqueOp) -> list[str]:
    name, place = plain_name(operation.constraint_name), quoted(operation.schema, operation.table_name)
    index = ConcurrentIndexOp(name, operation.table_name, list(operation.columns), schema=operation.schema, unique=True)
    take = f"ALTER TABLE {place} ADD CONSTRAINT {quoted(name)} UNIQUE USING INDEX {quoted(name)}"
    return [*render_op(context, index), f"op.execute({take!r})"]


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
