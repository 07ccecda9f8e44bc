"""The one place that opens a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2

from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl

CONNECT_TIMEOUT_S = 10
# Both ends must notice a dead network: these are the client's; the server's are set in the session.
KEEPALIVES = {
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}


def connect(url: DatabaseUrl, *, command: str, database: str = "") -> Connection:
    """Open a connection in autocommit.

    Args:
        url: Where to.
        command: The task, shown to the server's operators as `application_name`.
        database: Another database of the same server; empty for the URL's own.

    Raises:
        DatabaseError: The server did not answer, or turned us away.
    """
    parameters: dict[str, Any] = {
        "connect_timeout": str(CONNECT_TIMEOUT_S),
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
        connection: Connection = psycopg2.connect(**parameters)
    except (psycopg2.Error, UnicodeError) as error:
        raise refused_connection(url, str(error)) from None
    connection.autocommit = True
    return connection


def refused_connection(url: DatabaseUrl, text: str) -> DatabaseError:
    """Put libpq's words into one line with a hint."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    # "connection to server at "…", port … failed: " says again what url.shown says better.
    said = lines[0].split(" failed: ", 1)[-1] if lines else "no reason given"
    if url.password is not None and url.password.reveal() and url.password.reveal() in said:
        said = said.replace(url.password.reveal(), "***")
    fatal = said.split("FATAL: ")[-1].strip()
    return DatabaseError(f"{url.shown}: {fatal}", hint=_hint(text, url))


def _hint(text: str, url: DatabaseUrl) -> str:
    if "certificate verify failed" in text:
        return "give the server's own CA in the URL, `?sslrootcert=<file>`, or `?sslmode=require` to trust it unseen; docs/settings.md"
    if "Connection refused" in text or "No such file" in text:
        return "is the server running there? `invoke config` shows where DATABASE_URL comes from"
    if "password" in text or "authentication" in text or "no pg_hba.conf entry" in text:
        return "check user and password in DATABASE_URL; `invoke config` shows where it comes from"
    if f'database "{url.name}" does not exist' in text:
        return f"create it, `createdb {url.name}`, or correct DATABASE_URL"
    if "translate host name" in text or "timeout" in text:
        return "check the host in DATABASE_URL and the network; `invoke config` shows where it comes from"
    if "too many" in text or "remaining connection slots" in text:
        return "wait for a free connection and run it again"
    return "`invoke config` shows what is connected to"
