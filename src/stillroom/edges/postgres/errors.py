"""What the server said, in one line, without rows and parameters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from stillroom.errors import DatabaseError

HINTS = {
    "42501": "the role lacks a right; ask the owner of the database for it",
    "53100": "the server's disk is full; free some space and run it again",
    "53200": "the server is out of memory or lock slots: raise `max_locks_per_transaction`",
    "53300": "wait for a free connection and run it again",
    "55P03": "another session holds the table; `invoke status` shows who, run it again when it is gone",
    "57014": "raise STILLROOM_STATEMENT_TIMEOUT_MS if the statement may take that long",
    "25006": "connect to the primary: this server only reads",
}


def describe(error: psycopg2.Error) -> str:
    """Say what the server said: the primary message and the SQLSTATE, no DETAIL (it holds rows)."""
    primary = error.diag.message_primary if error.diag is not None else None
    text = primary or (str(error).strip().splitlines() or ["the connection was lost"])[0]
    return f"{text} ({error.pgcode})" if error.pgcode else text


def as_database_error(error: psycopg2.Error, doing: str) -> DatabaseError:
    """Translate a server's error; doing says what was under way."""
    hint = HINTS.get(error.pgcode or "", "`invoke status` shows where the database stands")
    return DatabaseError(f"{doing}: {describe(error)}", hint=hint)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn psycopg2's errors inside the block into ours.

    Raises:
        DatabaseError: What the server said, after what was under way.
    """
    try:
        yield
    except psycopg2.Error as error:
        raise as_database_error(error, doing) from None
