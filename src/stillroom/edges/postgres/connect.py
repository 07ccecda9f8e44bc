"""The one place that opens a connection."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psycopg2

from stillroom.edges.interrupt import interruptibly
from stillroom.edges.postgres.refusals import ABSENT, BUSY, refused_connection
from stillroom.errors import NotReadyError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl

CONNECT_TIMEOUT_S = 10
# A session that has just been closed keeps its place for a moment: a role with one connection meets itself there.
PLACE_FREE_WITHIN_S = 5.0
# Both ends must notice a dead network: these are the client's; the server's are set in the session.
KEEPALIVES = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


def connect(
    url: DatabaseUrl,
    *,
    command: str,
    database: str = "",
    timeout_s: float = CONNECT_TIMEOUT_S,
    place_within_s: float = PLACE_FREE_WITHIN_S,
) -> Connection:
    """Open a connection in autocommit.

    Args:
        url: Where to.
        command: The task, shown to the server's operators as `application_name`.
        database: Another database of the same server; empty for the URL's own.
        timeout_s: The longest wait for an answer, in seconds; libpq counts whole ones, from 2.
        place_within_s: How long to try again where all places are taken, in seconds.

    Raises:
        NotReadyError: The server is not there, starting, stopping, or full.
        DatabaseError: It turned us away.
    """
    until = time.monotonic() + place_within_s
    while True:
        try:
            return _connect_once(url, command, database, timeout_s)
        except NotReadyError as error:
            if not is_busy(error) or time.monotonic() >= until:
                raise
        time.sleep(0.05)


def connect_patiently(
    url: DatabaseUrl, *, command: str, wait_s: float, absent_wait_s: float, say: Callable[[str], None]
) -> Connection:
    """Open a connection to a server that may still be starting, or full.

    Args:
        url: Where to.
        command: The task.
        wait_s: The longest wait for a server that answers "not yet", in seconds.
        absent_wait_s: The longest wait where nothing answers at all.
        say: Told once what is waited for.

    Raises:
        NotReadyError: The wait ran out.
        DatabaseError: The server turned us away for good: a wrong password is not tried twice.
    """
    started, pause, told = time.monotonic(), 0.1, False
    while True:
        try:
            return connect(url, command=command)
        except NotReadyError as error:
            limit = absent_wait_s if any(word in error.message for word in ABSENT) else wait_s
            waited = time.monotonic() - started
            if waited >= limit:
                raise
            if not told:
                say(f"waiting up to {limit:.0f} s for the server ({error.message})")
                told = True
            time.sleep(min(pause, max(limit - waited, 0.01)))
            pause = min(pause * 1.5, 1.0)


def is_busy(error: NotReadyError) -> bool:
    """Tell a server that is full from one that is not there."""
    return any(word in error.message for word in BUSY)


def _connect_once(url: DatabaseUrl, command: str, database: str, timeout_s: float) -> Connection:
    parameters: dict[str, Any] = {
        "connect_timeout": str(max(2, round(timeout_s))),
        **KEEPALIVES,
        "client_encoding": "utf8",
        **url.libpq(),
    }
    parameters.setdefault("application_name", f"stillroom {command}")
    if "," in url.host:
        parameters.setdefault("target_session_attrs", "read-write")
    if database:
        parameters["dbname"] = database
    try:
        connection: Connection = interruptibly(lambda: psycopg2.connect(**parameters))
    except (psycopg2.Error, UnicodeError) as error:
        raise refused_connection(url, str(error)) from None
    connection.autocommit = True
    return connection
