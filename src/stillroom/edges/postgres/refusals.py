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
    # Another name a moment ago: `restore` swaps databases.
    "just been dropped or renamed",
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


_WHERE = "`invoke config` shows where it comes from"
# The server's or libpq's words, and the next thing to type; the first that fits.
_HINTS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("certificate verify failed",),
        "give the server's own CA in the URL, `?sslrootcert=<file>`, or `?sslmode=require` to trust it unseen; docs/settings.md",
    ),
    (
        ("Connection refused", "No such file"),
        "is the server running there? `invoke config` shows where DATABASE_URL comes from",
    ),
    (
        ("does not support SSL", "server certificate for", "does not match host name"),
        "name the server as its certificate does, or choose another `?sslmode=`; docs/settings.md",
    ),
    (
        ("channel binding", "authentication method requirement"),
        "this server would get the password unprotected: `?sslmode=verify-full&sslrootcert=<file>` makes sure of it; docs/settings.md",
    ),
    (("permission denied for database",), 'as its owner: `GRANT CONNECT ON DATABASE "{name}" TO "{user}";`'),
    (("password", "authentication", "no pg_hba.conf entry"), f"check user and password in DATABASE_URL; {_WHERE}"),
    (('database "{name}" does not exist',), "create it, `createdb {name}`, or correct DATABASE_URL"),
    (
        ("translate host name", "timeout"),
        f"check the host in DATABASE_URL and the network; {_WHERE}",
    ),
    (BUSY, "wait for a free connection and run it again; `--wait-s` waits for one"),
    (STARTING, "run it again in a moment; `--wait-s` waits for it"),
)


def _hint(text: str, url: DatabaseUrl) -> str:
    names = {"name": url.name, "user": url.user}
    for words, hint in _HINTS:
        if any(word.format_map(names) in text for word in words):
            return hint.format_map(names)
    return "`invoke config` shows what is connected to"
