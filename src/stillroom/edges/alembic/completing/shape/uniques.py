"""Unique constraints with what Alembic leaves out or cannot make: DEFERRABLE on the way back, and INCLUDE."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import UniqueConstraint
from sqlalchemy.schema import AddConstraint

from stillroom.edges.alembic.completing.findings import plain_name, quoted, shown
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.completing.places import changed_tables, model_of
from stillroom.edges.alembic.completing.texts import dialect

_SPECIAL = """
select n.nspname = pg_catalog.current_schema(), n.nspname::text, c.relname::text, k.conname::text, pg_catalog.pg_get_constraintdef(k.oid)
from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_index i on i.indexrelid = k.conindid
where k.contype = 'u' and (k.condeferrable or i.indnatts <> i.indnkeyatts)
"""
INCLUDE = "postgresql_include"


def keep_uniques_whole(context: Any, upgrade: Any) -> None:
    """Write them as SQL, in the server's words or SQLAlchemy's."""
    tables = changed_tables(upgrade)
    for table in tables:
        for at, each in enumerate(table.ops):
            if isinstance(each, ops.CreateUniqueConstraintOp) and each.kw.get(INCLUDE):
                table.ops[at] = _made(context, each)
    gone: list[tuple[Any, Any]] = [(table, each) for table in tables for each in table.ops if _drops_unique(each)]
    if context.connection is None or not gone:
        return
    rows = context.connection.exec_driver_sql(_SPECIAL).all()
    special = {(None if near else schema, table, name): text for near, schema, table, name, text in rows}
    for table, drop in gone:
        text = special.get((table.schema, str(table.table_name), plain_name(drop.constraint_name or "")))
        if text:
            add, take = _statements(table.schema, table.table_name, plain_name(drop.constraint_name), text)
            table.ops[table.ops.index(drop)] = StatementOp("drop_constraint", take, add, table=table.table_name)


def _drops_unique(operation: Any) -> bool:
    return isinstance(operation, ops.DropConstraintOp) and isinstance(operation._reverse, ops.CreateUniqueConstraintOp)


def _made(context: Any, operation: Any) -> Any:
    table = model_of(context, operation.schema, operation.table_name)
    for each in [] if table is None else table.constraints:
        if isinstance(each, UniqueConstraint) and list(each.columns.keys()) == list(operation.columns) and each.name:
            whole = str(AddConstraint(each).compile(dialect=dialect()))
            text = whole.partition(f"CONSTRAINT {quoted(plain_name(each.name))} ")[2]
            add, take = _statements(operation.schema, operation.table_name, plain_name(each.name), text)
            return StatementOp("create_unique_constraint", add, take, table=operation.table_name)
    return operation


def _statements(schema: str | None, table: str, name: str, text: str) -> tuple[Way, Way]:
    place = quoted(schema, table)
    add = f"ALTER TABLE {place} ADD CONSTRAINT {quoted(name)} {text}"
    drop = f"ALTER TABLE {place} DROP CONSTRAINT {quoted(name)}"
    what = f"{name} on {shown(schema, table)}"
    return Way((add,), f"create_unique_constraint {what}"), Way((drop,), f"drop_constraint {what}")
