"""What is looked for in a statement before it is sent, and what may be shown of it afterwards."""

from __future__ import annotations

import re
from functools import lru_cache

from stillroom.core.sql_text import Reader, Statement, read_statements, replace_values

_MAY_END = re.compile(r"\b(?:COMMIT|END|ABORT|BEGIN|START|PREPARE|ROLLBACK)\b", re.IGNORECASE)
_GUARDED = re.compile(
    r"""\bcreate\s+(?:unique\s+)?index\s+(?:concurrently\s+)?if\s+not\s+exists\s+("[^"]+"|\w+)""", re.IGNORECASE
)
SEEN = 50  # of a long statement, so many times what is shown is looked at


def find_transaction_word(sql: str) -> str:
    """Name the word by which one of these statements would end or begin a transaction; empty when none does.

    ROLLBACK TO a savepoint stays inside; END and ABORT are PostgreSQL's other words for COMMIT and ROLLBACK.

    Args:
        sql: One statement, or several with semicolons between them.
    """
    if not _MAY_END.search(sql):
        return ""
    return next((word for word in map(_transaction_word, read_statements(sql)) if word), "")


def _transaction_word(statement: Statement) -> str:
    reader = Reader(statement)
    for words in (("start", "transaction"), ("prepare", "transaction"), ("commit",), ("end",), ("abort",), ("begin",)):
        if reader.takes(*words):
            return " ".join(words).upper()
    if not reader.takes("rollback"):
        return ""
    if not reader.takes("work"):
        reader.takes("transaction")
    return "" if reader.takes("to") else "ROLLBACK"


def is_concurrent(sql: str) -> bool:
    """Tell a statement that works beside others and cannot be rolled back; the word in a comment or a string is none."""
    if "concurrently" not in sql.lower():
        return False
    return any(
        any(token.is_word("concurrently") for token in each)
        and each[0].is_word("create", "drop", "reindex", "refresh", "alter")
        for each in read_statements(sql)
    )


def find_indexes(sql: str) -> frozenset[tuple[str, str]]:
    """Name the indexes that statements create: each with its table, which may have a schema before a dot."""
    if "index" not in sql.lower():
        return frozenset()
    return frozenset(found for found in map(_created_index, read_statements(sql)) if found)


def find_guarded_indexes(text: str) -> frozenset[str]:
    """Name the indexes that are created `IF NOT EXISTS` anywhere in a text: in a DO block, or in a revision's source."""
    return frozenset(name.strip('"') for name in _GUARDED.findall(text))


def _created_index(statement: Statement) -> tuple[str, str] | None:
    reader = Reader(statement)
    if not reader.takes("create"):
        return None
    reader.takes("unique")
    if not reader.takes("index"):
        return None
    reader.takes("concurrently")
    reader.takes("if", "not", "exists")
    name = reader.relation() if not reader.takes("on") else ""
    if not name or not reader.takes("on"):
        return None
    reader.takes("only")
    return name, reader.relation()


@lru_cache(256)
def hide_values(statement: str, *, length: int = 80) -> str:
    """Shorten a statement to one line in which no literal can be read.

    Args:
        statement: As somebody sent it.
        length: The most characters to keep.
    """
    text = " ".join(replace_values(statement[: length * SEEN]).split())
    return text if len(text) <= length else text[: length - 1] + "…"
