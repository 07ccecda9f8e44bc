"""The server process at the other end of a connection, and the server it belongs to: what a second look needs to know."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg2

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# The timeline is read from the write position: pg_control_checkpoint() still names the old one after a promotion.
_SERVER = """select (select system_identifier::text from pg_catalog.pg_control_system()),
       pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8)"""
_BACKEND = "select pid, backend_start from pg_stat_activity where pid = pg_catalog.pg_backend_pid()"
_END = """
select pg_catalog.pg_terminate_backend(pid) from pg_stat_activity
where pid = %s and backend_start = %s and usename = current_user and pid <> pg_catalog.pg_backend_pid()
"""
_IS_THERE = "select 1 from pg_stat_activity where pid = %s and backend_start = %s"
LEAVES_WITHIN_S = 3.0


@dataclass(frozen=True)
class Backend:
    """A server process.

    Args:
        pid: Its process id.
        started: When it began; tells it from a later one with the same id.
        system: The identifier that initdb gave the cluster; a standby has its primary's. Empty where the server does not tell.
        timeline: Changes with each promotion, eight hexadecimal digits.
    """

    pid: int
    started: datetime | None
    system: str = ""
    timeline: str = ""

    def is_elsewhere(self, other: Backend) -> bool:
        """Tell whether the other one belongs to another server, or to this one after a promotion; unknown is the same."""
        return bool(self.system and other.system) and (self.system, self.timeline) != (other.system, other.timeline)


def read_backend(connection: Connection) -> Backend:
    """Ask the server who answers here; some managed servers do not tell which cluster they are.

    Args:
        connection: In autocommit.

    Raises:
        psycopg2.Error: The connection is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BACKEND)
        pid, started = cursor.fetchone() or (connection.info.backend_pid, None)
        try:
            cursor.execute(_SERVER)
            system, timeline = cursor.fetchone() or ("", "")
        except psycopg2.Error:
            if connection.closed:
                raise
            system, timeline = "", ""
    return Backend(pid, started, system or "", timeline or "")


def is_gone(connection: Connection, backend: Backend) -> bool:
    """Wait for a process whose client has gone to be gone as well, and end it when it stays: until then it may still commit.

    Args:
        connection: A new one to the same server, in autocommit.
        backend: Of the connection that was lost.

    Returns:
        False when it is still there after 6 s.

    Raises:
        psycopg2.Error: The server refused, or this connection is lost too.
    """
    with connection.cursor() as cursor:
        for is_last in (False, True):
            until = time.monotonic() + LEAVES_WITHIN_S
            while time.monotonic() < until:
                cursor.execute(_IS_THERE, (backend.pid, backend.started))
                if cursor.fetchone() is None:
                    return True
                time.sleep(0.05)
            if not is_last:
                cursor.execute(_END, (backend.pid, backend.started))
    return False
