"""A revision's message: one safe line, the slug and the file name made of it, and its place in a docstring."""

from __future__ import annotations

import re
from datetime import datetime

LONGEST = 200
SLUG_LENGTH = 40
_WORDS = re.compile(r"\w+")


def clean_message(text: str) -> str:
    """Make one printable line of at most 200 characters out of whatever was typed."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:LONGEST].strip()


def docstring_text(text: str) -> str:
    """Escape a message so that it can only ever be text inside a Python string.

    Used by script.py.mako as well, where plain `alembic revision` hands over what was typed.
    """
    escaped = clean_message(text).replace("\\", "\\\\")
    for quote in ('"', "'"):
        # Only where it could end the string: a message with a quoted word stays readable.
        if quote * 3 in escaped or escaped.endswith(quote):
            escaped = escaped.replace(quote, f"\\{quote}")
    return escaped


def slug(message: str, limit: int = SLUG_LENGTH) -> str:
    """Make the last part of the file name as Alembic does: words joined by underscores, cut at a word.

    Args:
        message: The cleaned message.
        limit: `truncate_slug_length` of alembic.ini.
    """
    joined = "_".join(_WORDS.findall(message)).lower()
    return joined if len(joined) <= limit else joined[:limit].rsplit("_", 1)[0]


def file_name(template: str, *, revision: str, slug: str, created_at: datetime) -> str:
    """Fill alembic.ini's `file_template`; the time is UTC, so that files of all machines sort alike.

    Raises:
        ValueError: The template names something Alembic does not know.
    """
    parts = {name: getattr(created_at, name) for name in ("year", "month", "day", "hour", "minute", "second")}
    try:
        filled = template % {"rev": revision, "slug": slug, "epoch": int(created_at.timestamp()), **parts}
    except (KeyError, TypeError) as error:
        raise ValueError(f"file_template: {error}") from None
    return filled.rstrip("_") + ".py"
