"""Server defaults compared as text, and by the server only where text does not tell.

Alembic asks the server about each default that is worded differently, one statement a column, and fails where the types have
no equality (json), where the value does not exist yet (a new member of an enum type), or where asking changes something (nextval).
"""

from __future__ import annotations

import re
from typing import Any

import psycopg2
from alembic.util import PriorityDispatchResult
from psycopg2 import sql
from sqlalchemy import Computed, DefaultClause, Identity

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import Findings, ddl_of, findings_of, literal, shown
from stillroom.edges.alembic.completing.texts import sql_of
from stillroom.edges.alembic.completing.values.looking import looking
from stillroom.edges.alembic.enums import is_enum

_CAST = re.compile(
    r"""(?x) ^ (?P<value> .*? ) (?: :: (?: "[^"]+" | [\w ]+? ) (?: \. (?: "[^"]+" | \w+ ) )? (?: \(\d+(?:,\d+)?\) )? (?: \[\] )? ) + $"""
)
PLAIN = (
    "is computed in the database and not in the models: `ALTER TABLE … ALTER COLUMN … DROP EXPRESSION`, in a revision of "
    "`invoke make-migration --empty`, keeps its values"
)
COMPUTED = (
    "is computed in the models and not in the database, which PostgreSQL cannot make of a column that is there: "
    "drop it in one revision and add it in another"
)
_STRING = re.compile(r"'((?:[^']|'')*)'", re.DOTALL)


def compare_default(context: Any, change: Any, *place_and_columns: Any) -> PriorityDispatchResult:
    """Be Alembic's comparator of one column's server default."""
    *_place, live, model = place_and_columns
    before, after = live.server_default, model.server_default
    if isinstance(before, Identity) and after is None and _is_serial(model):
        return PriorityDispatchResult.STOP  # it fills itself all the same; taking the identity away would end that
    if isinstance(before, Computed) != isinstance(after, Computed):
        subject = shown(_place[0], _place[1], _place[2])
        text = PLAIN if isinstance(before, Computed) else COMPUTED
        findings_of(context).questions.append(Question("convert", subject, f"{subject} {text}", may_be_lost=False))
        return PriorityDispatchResult.STOP
    if isinstance(before, Computed) and isinstance(after, Computed):
        return (
            PriorityDispatchResult.STOP
        )  # the server words an expression anew; every review says that none is compared
    if not isinstance(before, DefaultClause) or not isinstance(after, DefaultClause):
        return PriorityDispatchResult.CONTINUE
    change.existing_server_default = before
    if _is_serial(model):
        return PriorityDispatchResult.STOP
    one, other = text_of(before), text_of(after)
    if is_enum(live.type):
        one = _as_renamed(findings_of(context), live.type, one)
    if plain(one) != plain(other) and not _are_equal(context.connection, (one, other), live.type, model.type):
        change.modify_server_default = after
    return PriorityDispatchResult.STOP


def _is_serial(model: Any) -> bool:
    return bool(model.primary_key) and model is model.table._autoincrement_column


def text_of(default: Any) -> str:
    """Write a default as SQL."""
    if isinstance(default.arg, str):
        return literal(default.arg)
    return sql_of(default.arg)


def plain(text: str) -> str:
    """Take casts, brackets and quotes off a default, as far as they do not change it."""
    bare = text.strip()
    while bare.startswith("(") and bare.endswith(")") and "(" not in bare[1:-1]:
        bare = bare[1:-1].strip()
    match = _CAST.match(bare)
    if match and not match["value"].rstrip().endswith(":"):
        bare = match["value"].strip()
    string = _STRING.fullmatch(bare)
    if string:
        return string[1].replace("''", "'")
    return re.sub(r"'([^']*)'::regclass", r"'\1'", bare).lower()


def _as_renamed(findings: Findings, kind: Any, text: str) -> str:
    """A member that was renamed is still the default, under its new name."""
    subject = f"{shown(kind.schema, str(kind.name))}.{plain(text)}"
    new = findings.answers.rename.get(subject)
    return literal(new) if new else text


def _are_equal(connection: Any, texts: tuple[str, str], live: Any, model: Any) -> bool:
    """Ask the server whether two constants are the same value; what it cannot compare is not equal."""
    if connection is None or is_enum(live) or is_enum(model):
        return False
    one, other = (sql.SQL(each.replace("%", "%%")) for each in texts)
    kind = sql.SQL(ddl_of(live))
    query = sql.SQL("select ({})::{} is not distinct from ({})::{}").format(one, kind, other, kind)
    with looking(connection) as cursor:
        try:
            cursor.execute(query, ())
            return bool(cursor.fetchone()[0])
        except psycopg2.Error:
            return False
