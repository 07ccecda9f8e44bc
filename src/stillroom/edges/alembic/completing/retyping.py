"""A column that gets another type: the conversion it needs, and a look whether every live value goes through it."""

from __future__ import annotations

from typing import Any

import psycopg2
from alembic.operations import ops
from psycopg2 import sql

from stillroom.core.casts import ZONE, base_of, shortens
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import Findings, ddl_of, findings_of, flatten, shown
from stillroom.edges.alembic.completing.looking import looking
from stillroom.edges.alembic.completing.operations import RetypeColumnOp, live_names
from stillroom.edges.alembic.completing.rendering import using_of


def settle_types(context: Any, upgrade: Any) -> None:
    """Give each change of type its conversion, both ways, and take a default out of its way."""
    for table in [each for each in upgrade.ops if isinstance(each, ops.ModifyTableOps)]:
        for change in [each for each in table.ops if _is_retyping(each)]:
            at = table.ops.index(change)
            table.ops[at : at + 1] = _split(change, _model_default(context, change))
            _note_zone(findings_of(context), change)
    new = {_place(each) for each in flatten(upgrade) if isinstance(each, ops.AddColumnOp)}
    for change in flatten(upgrade):
        if isinstance(change, RetypeColumnOp) and _place(change) not in new:
            _look(context.connection, findings_of(context), change, live_names(upgrade, change))


def _is_retyping(operation: Any) -> bool:
    return isinstance(operation, ops.AlterColumnOp) and operation.modify_type is not None


def _place(operation: Any) -> tuple[Any, ...]:
    name = getattr(operation, "column_name", None) or operation.column.name
    return (operation.schema, operation.table_name, name)


def _split(change: Any, model_default: Any) -> list[Any]:
    """The default first goes, because it is not converted with the values, and comes back as the models have it."""
    retype = RetypeColumnOp(
        change.table_name,
        change.column_name,
        schema=change.schema,
        existing_type=change.existing_type,
        existing_nullable=change.existing_nullable,
        existing_comment=change.existing_comment,
        modify_type=change.modify_type,
        modify_nullable=change.modify_nullable,
        modify_comment=change.modify_comment,
    )
    before, after = change.existing_server_default, change.modify_server_default
    if after is False:
        after = model_default
    if not _converts(change) or not (before or after):
        retype.existing_server_default = before
        retype.modify_server_default = change.modify_server_default
        if change.modify_server_default is False:
            return [retype]
        retype.modify_server_default = False
    parts: list[Any] = [retype]
    if before:
        parts.insert(0, _default(change, before, None, change.existing_type))
    if after:
        parts.append(_default(change, None, after, change.modify_type))
    return parts


def _default(change: Any, before: Any, after: Any, kind: Any) -> Any:
    return ops.AlterColumnOp(
        change.table_name,
        change.column_name,
        schema=change.schema,
        existing_type=kind,
        existing_server_default=before,
        modify_server_default=after,
    )


def _converts(change: Any) -> bool:
    return bool(using_of(change)) or base_of(ddl_of(change.existing_type)) != base_of(ddl_of(change.modify_type))


def _model_default(context: Any, change: Any) -> Any:
    key = f"{change.schema}.{change.table_name}" if change.schema else change.table_name
    table = context.table_key_to_table.get(key)
    column = None if table is None else table.columns.get(change.column_name)
    # An identity is no value that would have to be converted: it stays.
    return None if column is None or column.identity is not None else column.server_default


def _note_zone(findings: Findings, change: Any) -> None:
    if f"AT TIME ZONE '{ZONE}'" in using_of(change):
        subject = shown(change.schema, change.table_name, change.column_name)
        findings.note(
            f"{subject}: the values are taken for times in {ZONE}, both ways; edit the file if they are of another zone"
        )


def _look(connection: Any, findings: Findings, change: Any, live: tuple[str, str]) -> None:
    """Try the conversion on the values that are there.

    Without a server function that tests values (`pg_input_is_valid`, 16) the first one that fails ends the look.
    """
    subject = shown(change.schema, change.table_name, change.column_name)
    problem = _try(connection, change, live)
    if problem:
        old, new = ddl_of(change.existing_type), ddl_of(change.modify_type)
        text = f"{subject}: {problem} from {old} to {new}; correct the values first"
        findings.questions.append(Question("convert", subject, text, may_be_lost=False))


def _try(connection: Any, change: Any, live: tuple[str, str]) -> str:
    table = sql.Identifier(*([change.schema] if change.schema else []), live[0])
    column, using = sql.Identifier(live[1]), using_of(change, live[1])
    limit = shortens(ddl_of(change.existing_type), ddl_of(change.modify_type))
    if limit is not None:
        form = "select pg_catalog.count(*) from {} where pg_catalog.length({}::text) > {}"
        count = _ask(connection, sql.SQL(form).format(table, column, sql.Literal(limit)))
        return (
            f"{count} value{'s are' if count != 1 else ' is'} too long to go"
            if isinstance(count, int) and count
            else ""
        )
    labels = getattr(change.modify_type, "enums", None)
    if labels:
        form = "select pg_catalog.count(*) from {} where not ({}::text = any({}::text[]))"
        count = _ask(connection, sql.SQL(form).format(table, column, sql.Literal([str(each) for each in labels])))
        return f"{count} value{'s are' if count != 1 else ' is'} no member, and cannot go" if count else ""
    if not using:
        return ""
    found = _ask(connection, sql.SQL("select pg_catalog.count({}) from {}").format(sql.SQL(using), table))
    return found if isinstance(found, str) else ""


def _ask(connection: Any, query: sql.Composed) -> int | str:
    with looking(connection) as cursor:
        try:
            cursor.execute(query)
            return int(cursor.fetchone()[0])
        except psycopg2.errors.QueryCanceled:
            return 0
        except (psycopg2.DataError, psycopg2.ProgrammingError) as error:
            return f"not every value can go ({error.pgcode})"
