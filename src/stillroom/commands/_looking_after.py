"""The connection that looks after a run: on it the work is not believed but read, and a failover is noticed."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import Target, look_on
from stillroom.errors import DatabaseError, NotReadyError, RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating

# Noticing a dead network takes 11 s, and an answer is owed within 30.
RECONNECT_WITHIN_S = 12.0
AGAIN = "`invoke status` shows where the database stands as soon as it answers"


def look_after(connection: Connection, work: Work, before: str) -> tuple[str, ...]:
    """Read the version table after the work: what would have been refused before it is a failure now.

    Raises:
        DatabaseError: It cannot be read where it should be.
    """
    from stillroom.edges.postgres.held import patiently

    try:
        return patiently(lambda: look_on(connection, work.target, work.project, work.settings), work.limits).revisions
    except RefusedError as error:
        raise DatabaseError(
            f"{before}, but where the database stands cannot be read: {error.message}", hint=error.hint
        ) from None


def require_same_server(connection: Connection, work: Work, held: Migrating) -> None:
    """Stop when the address leads to another server now: what was committed on the old one may be missing there.

    Raises:
        DatabaseError: A failover.
    """
    import psycopg2

    from stillroom.edges.postgres.backend import read_backend

    try:
        now = read_backend(connection)
    except psycopg2.Error:
        return
    if held.backend.is_elsewhere(now):
        seen = look_on(connection, work.target, work.project, work.settings).revisions
        raise DatabaseError(
            f"{work.target.shown}: another server answers now than the one that was migrated (a failover); this one is at {shown(seen)}",
            hint="`invoke status`, and `invoke migrate` when it is the right one",
        )


def connect_again(work: Work, **limits: Any) -> Connection:
    """Connect as the run did.

    Raises:
        DatabaseError: No connection came about.
    """
    from stillroom.edges.postgres.connect import connect

    return connect(work.target.url, command=work.command, **limits)


def reconnect(work: Work, unknown: str, *, within_s: float = RECONNECT_WITHIN_S) -> Connection:
    """Connect again, in a bounded time.

    Raises:
        DatabaseError: No connection came about; `unknown` says what that means.
    """
    until = time.monotonic() + within_s
    while True:
        left = until - time.monotonic()
        try:
            return connect_again(work, timeout_s=min(10.0, left), place_within_s=0.0)
        except NotReadyError as error:
            if until - time.monotonic() < 2:
                raise DatabaseError(f"{unknown} ({error.message})", hint=AGAIN) from None
        except DatabaseError as error:
            raise DatabaseError(f"{unknown} ({error.message})", hint=AGAIN) from None
        time.sleep(0.2)


def shown(revisions: tuple[str, ...]) -> str:
    """Name where a database stands."""
    return ", ".join(revisions) or "no revision"


def stands(work: Work, target: Target) -> str:
    """Say in words where the database stands now, or that nobody can tell."""
    try:
        with closing(reconnect(work, "nobody answers", within_s=6.0)) as connection:
            return f"{target.shown} is at {shown(look_on(connection, target, work.project, work.settings).revisions)}"
    except DatabaseError as error:
        return f"state unknown: {error.message}"
