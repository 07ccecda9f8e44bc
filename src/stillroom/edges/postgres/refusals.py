"""What libpq says of a connection that did not come about, in one line with a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.errors import DatabaseError, NotReadyError

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

# libpq gives no SQLSTATE for a connection that was turned away, only the server's words (English ones: others are not waited for).
BUSY = ("too many", "remaining connection slots", "sorry, too many clients", "no more connections allowed")
STARTING = (
    "starting up",
    "shutting down",
    "not yet accepting connections",
    "in recovery mode",
    "not accepting connections",
    "server closed the connection unexpectedly",
    "terminating connection",
)
ABSENT = (
    "Connection refused",
    "could not translate host name",
    "No such file or directory",
    "timeout expired",
    "No route to host",
)


def refused_connection(url: DatabaseUrl, text: str) -> DatabaseError:
    """Put libpq's words into one line with a hint."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    # "connection to server at "…", port … failed: " says again what url.shown says better.
    said = lines[0].split(" failed: ", 1)[-1] if lines else "no reason given"
    fatal = said.split("FATAL: ")[-1].strip()
    kind = NotReadyError if any(word in text for word in (*BUSY, *STARTING, *ABSENT)) else DatabaseError
    return kind(f"{url.shown}: {fatal}", hint=_hint(text, url))


def _hint(text: str, url: DatabaseUrl) -> str:
    if "certificate verify failed" in text:
        return "give the server's own CA in the URL, `?sslrootcert=<file>`, or `?sslmode=require` to trust it unseen; docs/settings.md"
    if "Connection refused" in text or "No such file" in text:
        return "is the server running there? `invoke config` shows where DATABASE_URL comes from"
    if "does not support SSL" in text or "server certificate for" in text or "does not match host name" in text:
        return "name the server as its certificate does, or choose another `?sslmode=`; docs/settings.md"
    if "channel binding" in text or "authentication method requirement" in text:
        return "this server would get the password unprotected: `?sslmode=verify-full&sslrootcert=<file>` makes sure of it; docs/settings.md"
    if "permission denied for database" in text:
        return f'as its owner: `GRANT CONNECT ON DATABASE "{url.name}" TO "{url.user}";`'
    if "password" in text or "authentication" in text or "no pg_hba.conf entry" in text:
        return "check user and password in DATABASE_URL; `invoke config` shows where it comes from"
    if f'database "{url.name}" does not exist' in text:
        return f"create it, `createdb {url.name}`, or correct DATABASE_URL"
    if "translate host name" in text or "timeout" in text:
        return "check the host in DATABASE_URL and the network; `invoke config` shows where it comes from"
    if any(word in text for word in BUSY):
        return "wait for a free connection and run it again; `--wait-s` waits for one"
    if any(word in text for word in STARTING):
        return "run it again in a moment; `--wait-s` waits for it"
    return "`invoke config` shows what is connected to"
