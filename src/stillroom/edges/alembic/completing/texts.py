"""SQL as text, on its way through SQLAlchemy's `text()`: a word behind a colon would be a parameter, and a percent sign doubled.

Source: SQLAlchemy documentation, `text()`: a colon that is none begins with a backslash; SQLAlchemy's `elements.py` and
`compiler.py` for what counts as one.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlalchemy import TextClause
from sqlalchemy.dialects import postgresql

_COLON = re.compile(r"(?<![:\w]):(?=\w)|(?<=\\):(?!:)")
_ESCAPED = re.compile(r"\\(:[\w$]*)(?![:\w$])")


@cache
def dialect() -> Any:
    """PostgreSQL's, writing SQL that no driver formats: a percent sign is one."""
    make: Any = postgresql.dialect
    made = make(paramstyle="named")
    made._backslash_escapes = False  # as on a connection, with standard_conforming_strings
    return made


def escaped(sql: str) -> str:
    """Write SQL as `text()` takes it."""
    return _COLON.sub(r"\\:", sql)


def sql_of(clause: Any) -> str:
    """Write a clause as the server is to get it; in a text nothing is a parameter."""
    if isinstance(clause, TextClause):
        return _ESCAPED.sub(r"\1", clause.text)
    return str(clause.compile(dialect=dialect(), compile_kwargs={"literal_binds": True, "include_table": False}))
