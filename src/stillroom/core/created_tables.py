"""Which tables SQL text makes: told from the statements alone, whoever wrote them."""

from __future__ import annotations

import re

from stillroom.core.sql_text import Reader, Statement, read_statements

# A schema where one is written, and a name.
Table = tuple[str | None, str]
_NAME = r"(?:\"(?:[^\"]|\"\")+\"|[A-Za-z_\x80-\U0010ffff][\w$]*)"
_MENTIONED = re.compile(
    rf"\bcreate\s+(?:(?:unlogged|foreign)\s+)?table\s+(?:if\s+not\s+exists\s+)?(?:({_NAME})\s*\.\s*)?({_NAME})",
    re.IGNORECASE,
)


def find_created_tables(sql: str) -> tuple[Table, ...]:
    """Name the tables that must not be there yet, each with its schema where one is written.

    Temporary tables, and those made IF NOT EXISTS, may be there: whoever wrote that has thought of it.

    Args:
        sql: Statements with semicolons between them.
    """
    found = (_created(each) for each in read_statements(sql))
    return tuple(dict.fromkeys(each for each in found if each))


def find_mentioned_tables(text: str) -> tuple[Table, ...]:
    """Name the tables of each CREATE TABLE in a text, wherever it stands: in a DO block, a string, or with IF NOT EXISTS.

    Temporary tables are left out.

    Args:
        text: SQL, or a part of it.
    """
    found = ((_plain(schema) if schema else None, _plain(name)) for schema, name in _MENTIONED.findall(text))
    return tuple(dict.fromkeys(found))


def _plain(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def _created(statement: Statement) -> Table | None:
    reader = Reader(statement)
    if reader.takes("create"):
        reader.takes("unlogged")
        if reader.takes("foreign", "table") or reader.takes("table"):
            return None if reader.takes("if") else _split(reader.relation())
    elif reader.takes("alter", "table"):
        reader.takes("if", "exists")
        table = _split(reader.relation())
        if table and reader.takes("rename", "to"):
            return table[0], reader.relation()
    return None


def _split(name: str) -> Table | None:
    schema, _, table = name.rpartition(".")
    return (schema or None, table) if table else None
