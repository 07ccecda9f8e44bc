"""A column that may hold no null any more: what the rows get that hold one."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from psycopg2 import sql
from sqlalchemy import ARRAY, JSON
from sqlalchemy import literal as sa_literal
from sqlalchemy.exc import CompileError

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import Findings, ddl_of, literal, quoted, shown, words
from stillroom.edges.alembic.completing.operations import StatementOp, Way, live_names
from stillroom.edges.alembic.completing.places import model_of
from stillroom.edges.alembic.completing.texts import dialect


def without_nulls(context: Any, findings: Findings, operation: Any, upgrade: Any) -> list[Any]:
    """Fill the nulls of a column that may hold none any more; only where there are some, or the models name a value."""
    subject = shown(operation.schema, operation.table_name, operation.column_name)
    table = model_of(context, operation.schema, operation.table_name)
    column = None if table is None else table.columns.get(operation.column_name)
    value = findings.find("fill", subject) or ("" if column is None else model_value(column))
    if not value and column is not None and column.server_default is not None:
        value = "DEFAULT"
    if not value:
        count = _count_nulls(context.connection, operation, upgrade)
        if count:
            text = f"{subject} becomes NOT NULL, and {count} row{'s' if count != 1 else ''} here hold{'s' if count == 1 else ''} none"
            findings.questions.append(Question("fill", subject, text, may_be_lost=False))
        return []
    name, place = quoted(operation.column_name), quoted(operation.schema, operation.table_name)
    up = words("UPDATE", place, "SET", name, "=", value, "WHERE", name, "IS NULL")
    forward = Way((up,), f"fill {subject} with {value} where it is null")
    return [StatementOp("fill", forward, Way((), "nothing"), table=operation.table_name)]


def _count_nulls(connection: Any, operation: Any, upgrade: Any) -> int:
    table, column = live_names(upgrade, operation)
    place = sql.Identifier(*([operation.schema] if operation.schema else []), table)
    query = sql.SQL("select pg_catalog.count(*) from {} where {} is null").format(place, sql.Identifier(column))
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def model_value(column: Any) -> str:
    """Write the constant that the models give to new rows."""
    default = column.default
    if default is None or not default.is_scalar:
        return ""
    if isinstance(column.type, ARRAY) and not default.arg:
        return "'{}'"  # `ARRAY[]` has no type of its own
    if isinstance(column.type, JSON):
        return f"{literal(json.dumps(default.arg))}::{ddl_of(column.type)}"
    if isinstance(default.arg, float) and not isfinite(default.arg):
        return f"'{default.arg}'::{ddl_of(column.type)}"
    try:
        bound = sa_literal(default.arg, column.type)
        return str(bound.compile(dialect=dialect(), compile_kwargs={"literal_binds": True}))
    except (CompileError, NotImplementedError, ValueError, TypeError, AttributeError):
        return ""
