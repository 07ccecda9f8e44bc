"""A look whether values that are to be unique are so already, before anything is written."""

from __future__ import annotations

from typing import Any

import psycopg2
from alembic.operations import ops
from psycopg2 import sql
from sqlalchemy import Column

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import findings_of, flatten, plain_name, shown
from stillroom.edges.alembic.completing.operations import RetypeColumnOp, live_names
from stillroom.edges.alembic.completing.values.looking import looking


def look_for_duplicates(context: Any, upgrade: Any) -> None:
    """Count what comes more than once; of columns that come or change in the same revision nothing can be known."""
    changed = {_place(each) for each in flatten(upgrade) if isinstance(each, ops.AddColumnOp | RetypeColumnOp)}
    new = {(each.schema, str(each.table_name)) for each in upgrade.ops if isinstance(each, ops.CreateTableOp)}
    for each in flatten(upgrade):
        names = _columns(each)
        if context.connection is None or not names or (each.schema, str(each.table_name)) in new:
            continue
        if any((each.schema, str(each.table_name), name) in changed for name in names):
            continue
        live = [live_names(upgrade, ops.DropColumnOp(each.table_name, name, schema=each.schema)) for name in names]
        count = _count(context.connection, each.schema, live)
        if count:
            subject = shown(each.schema, str(each.table_name), ", ".join(names))
            values = "1 value comes" if count == 1 else f"{count} values come"
            text = f"{subject} becomes unique, and {values} more than once; correct them first"
            findings_of(context).questions.append(Question("convert", subject, text, may_be_lost=False))


def _place(operation: Any) -> tuple[Any, ...]:
    name = operation.column.name if isinstance(operation, ops.AddColumnOp) else operation.column_name
    return (operation.schema, str(operation.table_name), plain_name(name))


def _columns(operation: Any) -> list[str]:
    """Name the columns of a unique constraint or index without expressions and conditions; none for anything else."""
    is_index = (
        isinstance(operation, ops.CreateIndexOp) and operation.unique and operation.kw.get("postgresql_where") is None
    )
    if not is_index and not isinstance(operation, ops.CreateUniqueConstraintOp):
        return []
    names = [each.name if isinstance(each, Column) else each for each in operation.columns]
    return [plain_name(each) for each in names] if all(isinstance(each, str) for each in names) else []


def _count(connection: Any, schema: str | None, live: list[tuple[str, str]]) -> int:
    table = sql.Identifier(*([schema] if schema else []), live[0][0])
    columns = [sql.Identifier(column) for _, column in live]
    form = "select pg_catalog.count(*) from (select from {} where {} group by {} having pg_catalog.count(*) > 1::bigint) as twice"
    given = sql.SQL(" and ").join([sql.SQL("{} is not null").format(each) for each in columns])
    with looking(connection) as cursor:
        try:
            cursor.execute(sql.SQL(form).format(table, given, sql.SQL(", ").join(columns)))
            return int(cursor.fetchone()[0])
        except (
            psycopg2.Error
        ):  # too many to count in time, or a type without equality: the server says so when it is applied
            return 0
