"""What is looked for in a statement before it is sent, and what may be shown of it afterwards."""

from __future__ import annotations

import re

from stillroom.core.sql_text import Reader, Statement, read_statements

_MAY_END = re.compile(r"\b(?:COMMIT|END|ABORT|BEGIN|START|PREPARE|ROLLBACK)\b", re.IGNORECASE)
_CONCURRENTLY = re.compile(r"\b(CREATE|DROP|REINDEX|REFRESH|DETACH)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_INDEX = re.compile(
    rf"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?({_NAME})\s+ON\b", re.IGNORECASE
)
_VALUES = re.compile(r"\$(\w*)\$.*?\$\1\$|[eE]?'(?:[^']|'')*(?:'|\Z)|\b\d+(?:\.\d+)?\b", re.DOTALL)
_COMMENTS = re.compile(r"--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/")


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


def is_concurrent(statement: str) -> bool:
    """Tell a statement that works beside others and cannot be rolled back."""
    return bool(_CONCURRENTLY.search(statement))


def find_index_names(statement: str) -> frozenset[str]:
    """Name the indexes that a statement creates, as the catalog spells them."""
    return frozenset(_catalog_name(name) for name in _INDEX.findall(statement))


def _catalog_name(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()


def hide_values(statement: str, *, length: int = 80) -> str:
    """Shorten a statement to one line in which no literal can be read.

    Args:
        statement: As somebody sent it.
        length: The most characters to keep.
    """
    text = " ".join(_VALUES.sub("?", _COMMENTS.sub(" ", statement)).split())
    return text if len(text) <= length else text[: length - 1] + "…"
