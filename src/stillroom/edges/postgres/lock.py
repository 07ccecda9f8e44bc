"""The migration lock: a session-level advisory lock, polled, on the very connection that does the work.

Never a blocking or a transaction-level lock: a waiter inside the server holds a snapshot that `CREATE INDEX
CONCURRENTLY` waits for, and both deadlock.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stillroom.edges.postgres.errors import translated
from stillroom.errors import LockBusyError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


@dataclass(frozen=True)
class Holder:
    """A session that holds the migration lock."""

    pid: int
    role: str
    application: str
    client: str
    since: datetime | None
    state: str

    @property
    def shown(self) -> str:
        """Name the session in one line."""
        since = f", since {self.since:%H:%M:%S} UTC" if self.since else ""
        return f"pid {self.pid}, {self.role}, {self.application or 'no application name'}, from {self.client}{since}, {self.state}"


def lock_key(schema: str, version_table: str) -> int:
    """Derive the key from what is migrated; the server adds the database by itself (advisory locks belong to one)."""
    digest = hashlib.sha256(f"stillroom\0{schema}\0{version_table}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def take_lock(
    connection: Connection,
    key: int,
    *,
    wait_s: float,
    say: Callable[[str], None],
    is_shared: bool = False,
    database: str = "",
) -> float:
    """Poll until the lock is ours; no transaction is open between two tries.

    Args:
        connection: In autocommit; it keeps the lock until it closes.
        key: From `lock_key`.
        wait_s: Longest wait in seconds; 0 tries once.
        say: Told once who holds the lock.
        is_shared: Backups may run beside each other, not beside a migration.
        database: Named in the message.

    Returns:
        The seconds waited.

    Raises:
        LockBusyError: The wait ran out; the message names the holder.
    """
    call = "pg_try_advisory_lock_shared" if is_shared else "pg_try_advisory_lock"
    started, pause, told = time.monotonic(), 0.02, False
    while True:
        with translated("taking the migration lock"), connection.cursor() as cursor:
            cursor.execute(f"select {call}(%s)", (key,))
            row = cursor.fetchone()
        waited = time.monotonic() - started
        if row and row[0]:
            return waited
        if waited >= wait_s or not told:
            holders = read_holders(connection, key)
            who = "; ".join(each.shown for each in holders) or "a session that has just ended"
            if waited >= wait_s:
                raise LockBusyError(
                    f"{database}: another migration is running ({who})",
                    hint=_way_out(holders),
                )
            say(f"waiting for another migration ({who})")
            told = True
        time.sleep(min(pause * (0.5 + random.random()), max(wait_s - waited, 0.001)))  # noqa: S311  (spreads waiters)
        pause = min(pause * 1.5, 1.0)


def _way_out(holders: tuple[Holder, ...]) -> str:
    """Say how to wait longer, and how to end a session that hangs."""
    end = f"; one that hangs is ended by `select pg_terminate_backend({holders[0].pid})`" if holders else ""
    return f"wait for it, `--wait-s` sets how long; `invoke status` shows who holds the lock{end}"


def release_lock(connection: Connection, key: int, *, is_shared: bool = False) -> None:
    """Let the lock go before the connection closes."""
    call = "pg_advisory_unlock_shared" if is_shared else "pg_advisory_unlock"
    with translated("releasing the migration lock"), connection.cursor() as cursor:
        cursor.execute(f"select {call}(%s)", (key,))


def read_holders(connection: Connection, key: int) -> tuple[Holder, ...]:
    """Find the sessions that hold the lock, in this database."""
    high, low = (key >> 32) & 0xFFFFFFFF, key & 0xFFFFFFFF
    with translated("reading who holds the migration lock"), connection.cursor() as cursor:
        cursor.execute(
            """select l.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''),
                      coalesce(pg_catalog.host(a.client_addr), case when a.state is null then 'an address hidden from this role' else 'a local socket' end),
                      a.backend_start at time zone 'UTC', coalesce(a.state, 'state hidden')
               from pg_locks l left join pg_stat_activity a on a.pid = l.pid
               where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = %s::oid and l.objid = %s::oid
                 and l.database = (select oid from pg_database where datname = pg_catalog.current_database())
               order by l.pid""",
            (high, low),
        )
        return tuple(Holder(*row) for row in cursor.fetchall())
