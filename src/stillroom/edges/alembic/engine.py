"""SQLAlchemy on the one connection that holds the lock, with the lock timeout renewed in each transaction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from stillroom.edges.postgres.errors import as_database_error

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection
    from sqlalchemy.engine import Connection

_CONCURRENTLY = re.compile(r"\b(CREATE|DROP|REINDEX|REFRESH|DETACH)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)


class Attempt:
    """What a step's retries need to know.

    Args:
        lock_timeout_ms: The wait for table locks in this attempt.
    """

    def __init__(self, lock_timeout_ms: int) -> None:
        self.lock_timeout_ms = lock_timeout_ms
        self.has_committed = False


def make_engine(connection: PsycopgConnection, attempt: Attempt) -> Engine:
    """Wrap an open psycopg2 connection.

    Nothing may be open on it: Alembic would take the transaction for someone else's and never commit.
    """
    connection.autocommit = False
    engine = create_engine(
        "postgresql+psycopg2://", creator=lambda: connection, poolclass=StaticPool, hide_parameters=True
    )
    event.listen(engine, "begin", lambda sa_connection: _renew(sa_connection, attempt))
    event.listen(engine, "commit", lambda _: setattr(attempt, "has_committed", True))
    event.listen(engine, "before_cursor_execute", _before)
    event.listen(engine, "after_cursor_execute", lambda *args: _after(args[1], args[2], attempt))
    return engine


def _renew(connection: Connection, attempt: Attempt) -> None:
    """Set the lock timeout for the transaction that begins (an autocommit block ends the one before)."""
    raw: Any = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        cursor.execute(
            "select set_config('lock_timeout', %s, %s)", (f"{attempt.lock_timeout_ms}ms", not raw.autocommit)
        )


def _before(_: Any, cursor: Any, statement: str, *__: Any) -> None:
    """Let a concurrent build wait: it blocks nobody, and a timeout would leave an invalid index."""
    if cursor.connection.autocommit and _CONCURRENTLY.search(statement):
        with cursor.connection.cursor() as own:
            own.execute("set lock_timeout = 0")


def _after(cursor: Any, statement: str, attempt: Attempt) -> None:
    if cursor.connection.autocommit and _CONCURRENTLY.search(statement):
        with cursor.connection.cursor() as own:
            own.execute("select set_config('lock_timeout', %s, false)", (f"{attempt.lock_timeout_ms}ms",))


@contextmanager
def translated_from_sqlalchemy() -> Iterator[None]:
    """Turn SQLAlchemy's wrapping of a server's error into ours.

    Raises:
        DatabaseError: What the server said.
    """
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg2.Error):
            raise
        raise as_database_error(error.orig, "the server refused") from None
