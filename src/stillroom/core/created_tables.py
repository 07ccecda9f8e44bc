"""Which tables SQL text makes: told from the statements alone, whoever wrote them."""

from __future__ import annotations

from stillroom.core.sql_text import Reader, Statement, read_statements


def find_created_tables(sql: str) -> tuple[tuple[str | None, str], ...]:
    """Name the tables that must not be there yet, each with its schema where one is written.

    Temporary tables, and those made IF NOT EXISTS, may be there: whoever wrote that has thought of it.

    Args:
        sql: Statements with semicolons between them.
    """
    found = (_created(each) for each in read_statements(sql))
    return tuple(dict.fromkeys(each for each in found if each))


def _created(statement: Statement) -> tuple[str | None, str] | None:
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


def _split(name: str) -> tuple[str | None, str] | None:
    schema, _, table = name.rpartition(".")
    return (schema or None, table) if table else None
