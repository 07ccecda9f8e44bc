"""The connection that migrates: checked for a pooler, holding the lock, with its timeouts set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psycopg2

from stillroom.core.limits import Limits, after_waiting
from stillroom.edges.postgres.backend import Backend, read_backend
from stillroom.edges.postgres.connect import connect_patiently
from stillroom.edges.postgres.current import Current, is_lost, read_current
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.held import patiently
from stillroom.edges.postgres.lock import lock_key, take_lock
from stillroom.edges.postgres.session_settings import set_up
from stillroom.edges.seams import seam
from stillroom.errors import DatabaseError, RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.layout import Layout
    from stillroom.core.urls import DatabaseUrl

RECONNECT_AFTER_S = 0.2


@dataclass(frozen=True)
class Migrating:
    """The connection that holds the lock, and where the database stands now that nobody else moves it.

    Args:
        key: Of the lock.
        backend: The server process at its other end.
    """

    connection: Connection
    current: Current
    key: int
    backend: Backend


@contextmanager
def migrating(
    url: DatabaseUrl,
    *,
    layout: Layout,
    limits: Limits,
    command: str,
    say: Callable[[str], None],
    is_shared: bool = False,
) -> Iterator[Migrating]:
    """Open the connection that does the work, and hold the migration lock on it.

    Raises:
        RefusedError: A pooler stands between; nothing was set.
        DatabaseError: The server did not answer, or only reads.
        LockBusyError: Another migration holds the lock and the wait ran out.
    """
    connection, held = _take_turn(url, layout, limits, command, say, is_shared=is_shared)
    try:
        yield held
    finally:
        leave(connection, limits)


def _take_turn(
    url: DatabaseUrl, layout: Layout, limits: Limits, command: str, say: Callable[[str], None], *, is_shared: bool
) -> tuple[Connection, Migrating]:
    """Connect and wait for the lock; a connection lost meanwhile held nothing, and is made anew within the wait."""
    started, left = time.monotonic(), limits
    while True:
        connection = connect_patiently(
            url, command=command, wait_s=left.wait_s, absent_wait_s=left.absent_wait_s, say=say
        )
        try:
            require_direct(connection, limits)
            left = after_waiting(limits, time.monotonic() - started)
            return connection, prepare(connection, layout=layout, limits=left, say=say, is_shared=is_shared)
        except BaseException as error:
            may_retry = isinstance(error, DatabaseError | psycopg2.Error) and is_lost(connection)
            leave(connection, limits)
            left = after_waiting(limits, time.monotonic() - started)
            # It was there: now an absent server is one that starts again.
            left = replace(left, absent_wait_s=left.wait_s)
            if not may_retry or not left.wait_s:
                raise
        say("the connection was lost while waiting for our turn; connecting again")
        time.sleep(min(RECONNECT_AFTER_S, left.wait_s))


def leave(connection: Connection, limits: Limits) -> None:
    """Close the connection, which lets the lock go; a pooler may lend the session to the next client as it is left."""
    if limits.pooler == "session":
        # A connection that is gone already has let everything go.
        with suppress(psycopg2.Error):
            connection.rollback()
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("reset all")
                cursor.execute("select pg_catalog.pg_advisory_unlock_all()")
    connection.close()


def prepare(
    connection: Connection, *, layout: Layout, limits: Limits, say: Callable[[str], None], is_shared: bool = False
) -> Migrating:
    """Take the lock and set the session up, on a connection that is known to be direct."""
    before = _read(connection, layout, limits, say)
    key = lock_key(layout.version_table_schema or before.schema, layout.version_table)
    take_lock(connection, key, wait_s=limits.wait_s, say=say, is_shared=is_shared, database=before.database)
    seam("lock taken")
    set_up(connection, limits)
    seam("session set up")
    return Migrating(connection, _read(connection, layout, limits, say), key, read_backend(connection))


def _read(connection: Connection, layout: Layout, limits: Limits, say: Callable[[str], None]) -> Current:
    def read() -> Current:
        return read_current(
            connection,
            version_table=layout.version_table,
            version_table_schema=layout.version_table_schema,
            search_path=limits.search_path,
        )

    return patiently(read, limits, say)


def require_direct(connection: Connection, limits: Limits) -> None:
    """Refuse a pooler and a server that only reads, before anything is set.

    A pooler shows by the process id of libpq's handshake, which is not that of the server process.

    Raises:
        RefusedError: A pooler.
        DatabaseError: A standby, or a read-only database.
    """
    with translated("looking at the server"), connection.cursor() as cursor:
        cursor.execute(
            """select pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery(),
                      pg_catalog.current_setting('transaction_read_only'), pg_catalog.current_database()"""
        )
        row = cursor.fetchone()
    assert row is not None
    pid, is_standby, read_only, database = row
    if pid != connection.info.backend_pid and limits.pooler != "session":
        raise RefusedError(
            f"{database}: a connection pooler stands between; locks and settings would not hold",
            hint="set MIGRATION_DATABASE_URL to the server itself (STILLROOM_POOLER=session accepts a session pooler)",
        )
    if is_standby or read_only == "on":
        what = "is a standby" if is_standby else "is read-only"
        raise DatabaseError(
            f"{database}: this server {what}, nothing can be migrated here", hint="connect to the primary"
        )
