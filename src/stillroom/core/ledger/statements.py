"""The statements of a step as one hash, the same whether they were sent or only rendered."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from stillroom.core.sql_text import read_statements

LONG = 100_000  # characters; cutting more into tokens would take longer than running it
# What SQLAlchemy asks by itself on a connection, as whether an enum is there, and does not render.
BORDERS = ("begin", "commit")  # rendered around an autocommit block, and not sent as statements
ASKED = ("select pg_catalog.",)


class Sent:
    """What a step has sent so far, as one hash."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._is_empty = True

    def add(self, text: str) -> None:
        """Add one statement, or several with semicolons between them."""
        for written in _written(text):
            self._hash.update(written.encode("utf-8", "surrogatepass") + b"\0")
            self._is_empty = False

    @property
    def sha256(self) -> str:
        """The hash of the statements in their order, whatever their layout and comments; an empty string for none."""
        return "" if self._is_empty else self._hash.hexdigest()


@lru_cache(256)  # a step that works through rows sends the same text again and again
def _written(text: str) -> list[str]:
    if text.lstrip()[: len(ASKED[0])].lower().startswith(ASKED):
        return []
    if len(text) > LONG:
        return [" ".join(text.split()).rstrip("; ")]
    statements = (each for each in read_statements(text) if not each[0].is_word(*BORDERS))
    return ["\x1f".join(f"{token.kind[0]}{token.text}" for token in each) for each in statements]
