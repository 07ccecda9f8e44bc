"""What the server said, in one line, without rows and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from stillroom.errors import DatabaseError

HINTS = {
    "42501": "the role lacks a right; ask the owner of the database for it",
    "53100": "the server's disk is full; free some space and run it again",
    "53200": "the server is out of memory or lock slots: raise `max_locks_per_transaction`",
    "53300": "wait for a free connection and run it again",
    "55P03": "another session holds the table: it was named while this one waited; run it again when it is gone",
    "53400": "raise the limit that is named, in the server's configuration, and run it again",
    "40P01": "another session waits for what this one holds; run it again when there is less traffic",
    "40001": "other sessions changed the same rows; run it again when there is less traffic",
    "55P04": "a new enum value can be used only after its step: put `ALTER TYPE … ADD VALUE` into an autocommit block or a revision before",
    "57014": "raise STILLROOM_STATEMENT_TIMEOUT_MS if the statement may take that long",
    "3F000": "the search_path names no schema that is there (quotes around all of it make it one name): STILLROOM_SEARCH_PATH sets it for migrations",
    "25006": "connect to the primary: this server only reads",
}


_NO_SCHEMA = re.compile(r'^schema "(?P<name>.+)" does not exist')
# A data exception quotes the value that it stumbled over: `invalid input syntax for type integer: "4111 1111 …"`.
_VALUE = re.compile(r'".*"', re.DOTALL)


def describe(error: psycopg2.Error) -> str:
    """Say what the server said: the primary message and the SQLSTATE, no DETAIL (it holds rows) and no value."""
    primary = error.diag.message_primary if error.diag is not None else None
    text = primary or (str(error).strip().splitlines() or ["the connection was lost"])[0]
    if (error.pgcode or "").startswith("22") or _is_near_a_literal(error):
        text = _VALUE.sub('"…"', text)
    return f"{text} ({error.pgcode})" if error.pgcode else text


def _is_near_a_literal(error: psycopg2.Error) -> bool:
    """Tell a syntax error that quotes what stands in or behind a literal: `'O'Neil'`, `'no end`."""
    primary, position = (error.diag.message_primary or ""), error.diag.statement_position
    if error.pgcode != "42601":
        return False
    query = error.cursor.query.decode("utf-8", "replace") if error.cursor is not None and error.cursor.query else ""
    before = query[: int(position) - 1].rstrip() if position else ""
    return "\"'" in primary or before.endswith("'")


def describe_with_data(error: psycopg2.Error) -> str:
    """Say all of it: the message as it is, DETAIL with its rows, and where in the statement."""
    diag = error.diag
    parts = [diag.message_primary, diag.message_detail, diag.message_hint, diag.context] if diag is not None else []
    said = "; ".join(" ".join(part.split()) for part in parts if part) or str(error).strip()
    query = error.cursor.query if error.cursor is not None else None
    text = f"{said} ({error.pgcode})" if error.pgcode else said
    return f"{text}; the statement: {' '.join(query.decode('utf-8', 'replace').split())}" if query else text


def hint_for(error: psycopg2.Error) -> str:
    """Say what helps against an error of the server; empty where that is not known."""
    missing = _NO_SCHEMA.match(error.diag.message_primary or "") if error.pgcode == "3F000" else None
    if missing:
        name = missing["name"].replace('"', '""')
        return f"the schema is not made by this revision: put `op.execute('CREATE SCHEMA IF NOT EXISTS \"{name}\"')` before what lies in it"
    return HINTS.get(error.pgcode or "", "")


def as_database_error(error: psycopg2.Error, doing: str) -> DatabaseError:
    """Translate a server's error; doing says what was under way."""
    hint = hint_for(error) or "`invoke status` shows where the database stands"
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
