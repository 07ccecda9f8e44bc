"""Who makes our statement wait, looked up from a second connection while it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2

from stillroom.core.sent_sql import hide_values
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.session_settings import notice_dead_clients
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl

LOOK_AFTER_S = 0.15
LOOK_EVERY_S = 0.25
SAY_AGAIN_AFTER_S = 15.0
_BLOCKERS = """
select a.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''), a.state,
       extract(epoch from pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.state_change))::int,
       case when a.state is null then '' else coalesce(a.query, '') end
from pg_stat_activity a where a.pid = any(pg_catalog.pg_blocking_pids(%s)) order by a.xact_start
"""


@dataclass(frozen=True)
class Blocking:
    """A session that our statement waits for.

    Args:
        state: Idle, active, idle in transaction; None where the server hides what other roles do.
        age_s: How long its transaction is open, in seconds; None where that is hidden.
        query: What it ran last, shortened, without values; empty where that is hidden.
    """

    pid: int
    role: str
    application: str
    state: str | None
    age_s: int | None
    query: str

    @property
    def shown(self) -> str:
        """Name the session in one line."""
        who = f"pid {self.pid}, {self.role}, {self.application or 'no application name'}"
        if self.state is None:
            return f"{who}; what it does is hidden from this role (the role pg_read_all_stats sees it)"
        since = f" for {self.age_s} s" if self.age_s is not None else ""
        return f"{who}, {self.state}{since}" + (f": {self.query}" if self.query else "")


def read_blocking(connection: Connection, pid: int) -> tuple[Blocking, ...]:
    """Ask who blocks the session with this pid.

    Raises:
        psycopg2.Error: The server refused, or the connection is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKERS, (pid,))
        rows = cursor.fetchall()
    return tuple(
        Blocking(pid, role, app, state, age_s, hide_values(query)) for pid, role, app, state, age_s, query in rows
    )


class Watch:
    """A thread that names who makes a statement wait; it connects only when one takes long.

    Where no second connection is to be had, it stays silent: the work goes on with one.

    Args:
        url: The server.
        command: The task, for `application_name`.
        pid: The session whose statements are watched.
        say: Told each blocking session once, and again every 15 s.
    """

    def __init__(self, url: DatabaseUrl, *, command: str, pid: int, say: Callable[[str], None]) -> None:
        self._url, self._command, self._pid, self._say = url, command, pid, say
        self._running = threading.Event()
        self._ended = threading.Event()
        self._told: dict[int, float] = {}
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._running.set()

    def statement_began(self) -> None:
        """Be told that a statement was sent."""
        self._running.set()

    def statement_ended(self) -> None:
        """Be told that it was answered."""
        self._running.clear()

    def _look(self) -> None:
        while self._running.wait() and not self._ended.is_set():
            if not self._ended.wait(LOOK_AFTER_S) and self._running.is_set():
                # The server may have no connection to spare, or none for this role.
                with suppress(DatabaseError, psycopg2.Error):
                    self._name_blockers()
                    continue
                return

    def _name_blockers(self) -> None:
        with closing(connect(self._url, command=self._command)) as connection:
            notice_dead_clients(connection)
            while self._running.is_set() and not self._ended.wait(LOOK_EVERY_S if self._told else 0):
                for each in read_blocking(connection, self._pid):
                    if time.monotonic() - self._told.get(each.pid, -SAY_AGAIN_AFTER_S) >= SAY_AGAIN_AFTER_S:
                        self._told[each.pid] = time.monotonic()
                        self._say(f"  waiting for {each.shown}")
                if not self._told:
                    self._ended.wait(LOOK_EVERY_S)
