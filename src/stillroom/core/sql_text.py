"""What can be told of a statement from its text alone, without parsing SQL."""

from __future__ import annotations

import re

_BLANK = r"(?:\s|;|--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/)*"
# ROLLBACK TO a savepoint stays inside the transaction; END and ABORT are PostgreSQL's other words for COMMIT and ROLLBACK.
_ENDS = re.compile(
    rf"{_BLANK}(COMMIT|END|ABORT|BEGIN|START\s+TRANSACTION|PREPARE\s+TRANSACTION|ROLLBACK(?!\s+(?:(?:WORK|TRANSACTION)\s+)?TO\b))\b",
    re.IGNORECASE,
)
_CONCURRENTLY = re.compile(r"\b(CREATE|DROP|REINDEX|REFRESH|DETACH)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_INDEX = re.compile(
    rf"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:CONCURRENTLY\s+)?(?:IF\s+NOT\s+EXISTS\s+)?({_NAME})\s+ON\b", re.IGNORECASE
)
_VALUES = re.compile(r"\$(\w*)\$.*?\$\1\$|[eE]?'(?:[^']|'')*(?:'|\Z)|\b\d+(?:\.\d+)?\b", re.DOTALL)
_COMMENTS = re.compile(r"--[^\n]*(?:\n|\Z)|/\*(?:[^*]|\*(?!/))*\*/")


def find_transaction_word(statement: str) -> str:
    """Name the word by which a statement would end or begin a transaction; empty when it does neither."""
    found = _ENDS.match(statement)
    return " ".join(found.group(1).upper().split()) if found else ""


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
