"""A look whether the live values of a column go through a change of its type, before anything is written."""

from __future__ import annotations

from typing import Any

import psycopg2
from psycopg2 import sql

from stillroom.core.casts import ZONE, may_lose, needs_zone, shortens
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import Findings, ddl_of, shown, words
from stillroom.edges.alembic.completing.rendering import using_of
from stillroom.edges.alembic.completing.values.looking import looking

NO_ARRAYS = (
    "an array of times takes another time zone only element by element, which no change of type can do; add a column, fill it "
    f"with `{words('ARRAY(', 'SELECT')} each AT TIME ZONE '{ZONE}' FROM unnest(…) AS each)`, and drop the old one"
)


def look(connection: Any, findings: Findings, change: Any, live: tuple[str, str]) -> None:
    """Try the conversion on the values that are there, and ask where one of them cannot go, or becomes another one.

    Args:
        connection: SQLAlchemy's.
        findings: Told what is to be asked.
        change: The change of type.
        live: Table and column as they are called now.

    Without a server function that tests values (`pg_input_is_valid`, 16) the first one that fails ends the look.
    """
    subject = shown(change.schema, change.table_name, change.column_name)
    old, new = ddl_of(change.existing_type), ddl_of(change.modify_type)
    if old.endswith("[]") and new.endswith("[]") and needs_zone(old, new):
        _refuse(findings, subject, NO_ARRAYS)
        return
    problem = _try(connection, change, live)
    if problem:
        _refuse(findings, subject, f"{problem} from {old} to {new}; correct the values first")
    elif may_lose(old, new) and not findings.answers.is_lost(subject):
        changed = _count_changed(connection, change, live)
        if isinstance(changed, str):
            _refuse(findings, subject, f"{changed} from {old} to {new}; correct the values first")
        elif changed:
            what = "1 value here becomes another one" if changed == 1 else f"{changed} values here become other ones"
            findings.questions.append(
                Question("lose", subject, f"{subject}: {what} from {old} to {new}: is that meant?")
            )


def _refuse(findings: Findings, subject: str, text: str) -> None:
    findings.questions.append(Question("convert", subject, f"{subject}: {text}", may_be_lost=False))


def _count_changed(connection: Any, change: Any, live: tuple[str, str]) -> int | str:
    table = sql.Identifier(*([change.schema] if change.schema else []), live[0])
    column, old, new = sql.Identifier(live[1]), ddl_of(change.existing_type), ddl_of(change.modify_type)
    if new == "BOOLEAN":
        form = sql.SQL("select pg_catalog.count(*) from {} where {}::text <> all(array['0', '1'])")
        return _ask(connection, form.format(table, column))
    form = sql.SQL("select pg_catalog.count(*) from {} where ({}::{})::{} is distinct from {}")
    return _ask(connection, form.format(table, column, sql.SQL(new), sql.SQL(old), column))


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
    labels = getattr(getattr(change.modify_type, "item_type", change.modify_type), "enums", None)
    if labels:
        form = "select pg_catalog.count(*) from {} where not ({}::text = any({}::text[]))"
        if ddl_of(change.existing_type).endswith("[]"):
            form = "select pg_catalog.count(*) from {} where not ({}::text[] <@ {}::text[])"
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
