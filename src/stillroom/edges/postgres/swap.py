"""Put one database in the place of another: two renames in one transaction, and everyone out at the right moment.

RENAME first takes the database for itself, which keeps new sessions waiting, and then waits up to 5 s for the present
ones to leave. So they are ended just then, from a second connection. Nothing is switched off beforehand
(ALLOW_CONNECTIONS), so a kill at any point leaves one whole database under the name, open to everyone.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

from stillroom.edges.postgres.backend import Backend, is_gone, read_backend
from stillroom.edges.postgres.databases import commenting, end_sessions
from stillroom.edges.postgres.errors import as_database_error, translated
from stillroom.edges.seams import seam
from stillroom.errors import DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

PAUSE_S = 0.02
STATUS = "`invoke status` shows where the database stands"
IS_TAKEN = """
select exists (select from pg_locks l join pg_database d on l.objid = d.oid
  where l.locktype = 'object' and l.database = 0::oid and l.classid = 'pg_database'::regclass::oid and d.datname = %s
    and l.mode = 'AccessExclusiveLock' and l.granted and l.pid = %s)
"""


@dataclass(frozen=True)
class Names:
    """The names of databases, and the comment of the one that is put in place.

    Args:
        live: The one the application uses.
        restored: The one that shall be in its place.
        kept: What the live one is called afterwards.
        comment: Of the restored one, when it is in its place; until then another one says that it is not finished.
    """

    live: str
    restored: str
    kept: str
    comment: str | None = None


class UnknownSwapError(DatabaseError):
    """The connection was lost, and nobody can say whether the databases were swapped; the one under the name is whole."""


@dataclass
class _Renaming:
    """The transaction with both renames, in a thread of its own, because its first statement waits."""

    connection: Connection
    backend: Backend
    names: Names
    error: psycopg2.Error | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        rename = sql.SQL("alter database {} rename to {}")
        live, restored, kept = map(sql.Identifier, (self.names.live, self.names.restored, self.names.kept))
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("begin")
                cursor.execute("set local lock_timeout = '10s'")
                cursor.execute(commenting(self.names.restored, self.names.comment))
                cursor.execute(rename.format(live, kept))
                seam("live database renamed")
                cursor.execute(rename.format(restored, live))
                seam("both databases renamed")
                cursor.execute("commit")
                seam("databases swapped")
        except psycopg2.Error as error:
            self.error = error
            self._roll_back()

    def _roll_back(self) -> None:
        # A connection that is gone has rolled back.
        with contextlib.suppress(psycopg2.Error), self.connection.cursor() as cursor:
            cursor.execute("rollback")


def swap(
    connection: Connection,
    watcher: Connection,
    names: Names,
    *,
    let_go: Callable[[], None],
    holder_pid: int,
    reconnect: Callable[[], Connection],
) -> None:
    """Swap two databases; all sessions of the live one end.

    Args:
        connection: Renames; in autocommit, to a third database.
        watcher: Sees when the database is taken and ends its sessions; to a third database, too.
        names: Which ones.
        let_go: Closes the session that holds the migration lock, the last one in the live database.
        holder_pid: That session; it is not ended like the others.
        reconnect: Makes another connection to a third database, for a look after one was lost.

    Raises:
        UnknownSwapError: Nobody can say whether it happened.
        DatabaseError: It did not happen: the live database is in its place and untouched.
        InterruptedRunError: A signal came when it had happened.
    """
    oid = _oid(watcher, names.restored)
    with translated("looking at the databases"):
        renaming = _Renaming(connection, read_backend(connection), names)
    stubborn: tuple[str, ...] = ()
    renaming.thread.start()
    try:
        while renaming.thread.is_alive():
            if _is_taken(watcher, names.live, connection.info.backend_pid):
                with translated("ending the sessions"), watcher.cursor() as cursor:
                    stubborn = end_sessions(cursor, names.live, spared_pid=holder_pid)
                let_go()
                seam("sessions ended")
            renaming.thread.join(PAUSE_S)
    except BaseException as error:
        with contextlib.suppress(psycopg2.Error):
            connection.cancel()
        renaming.thread.join()
        if not _has_swapped(watcher, renaming, oid, reconnect):
            raise
        if isinstance(error, DatabaseError):
            return
        kept = f"the old database is kept as {names.kept}"
        raise InterruptedRunError(f"interrupted when {names.live} was restored; {kept}", hint=STATUS) from None
    if not _has_swapped(watcher, renaming, oid, reconnect):
        raise _not_swapped(renaming.error, names, stubborn)


def _has_swapped(
    watcher: Connection, renaming: _Renaming, oid: int | None, reconnect: Callable[[], Connection]
) -> bool:
    """Read the truth, which cannot be inferred: a connection lost at COMMIT may have committed, or may still do so.

    Raises:
        UnknownSwapError: The server cannot be asked.
    """
    names = renaming.names
    with contextlib.suppress(DatabaseError):
        if not renaming.connection.closed:
            return _oid(watcher, names.live) == oid
    with contextlib.suppress(DatabaseError, psycopg2.Error), closing(reconnect()) as another:
        if is_gone(another, renaming.backend):
            return _oid(another, names.live) == oid
    raise UnknownSwapError(
        f"the connection was lost while {names.restored} was put in the place of {names.live}, and whether it was is not known; "
        "the one under the name is whole",
        hint=STATUS,
    )


def move_in(connection: Connection, names: Names, *, reconnect: Callable[[], Connection]) -> None:
    """Give the restored database the name, where no database has it.

    Args:
        connection: In autocommit, to a third database.
        names: Which ones; nothing is kept.
        reconnect: Makes another such connection, for a look after this one was lost.

    Raises:
        UnknownSwapError: The connection was lost, and nobody can say which database has the name.
        DatabaseError: The server refused; or the connection was lost, and the message says who has the name now.
    """
    rename = sql.SQL("alter database {} rename to {}")
    oid = _oid(connection, names.restored)
    with translated("looking at the databases"):
        backend = read_backend(connection)
    with translated(f"naming the restored database {names.live}"), connection.cursor() as cursor:
        try:
            cursor.execute("begin")
            cursor.execute(commenting(names.restored, names.comment))
            cursor.execute(rename.format(sql.Identifier(names.restored), sql.Identifier(names.live)))
            cursor.execute("commit")
        except psycopg2.Error as error:
            with contextlib.suppress(psycopg2.Error):
                cursor.execute("rollback")
            if not connection.closed:
                raise
            lost = as_database_error(error, f"naming the restored database {names.live}")
        else:
            return
    _require_moved(reconnect, backend, names, oid, lost)


def _require_moved(
    reconnect: Callable[[], Connection], backend: Backend, names: Names, oid: int | None, lost: DatabaseError
) -> None:
    """Look who has the name, on a new connection: the one that was lost at COMMIT may have committed."""
    here, is_known = None, False
    with contextlib.suppress(DatabaseError, psycopg2.Error), closing(reconnect()) as another:
        if is_gone(another, backend):
            here, is_known = _oid(another, names.live), True
    if not is_known:
        message = (
            f"the connection was lost while {names.restored} was named {names.live}, and whether it was is not known"
        )
        raise UnknownSwapError(message, hint=STATUS)
    if here is None or here != oid:
        whose = "no database has" if here is None else "another one, made meanwhile, has"
        raise DatabaseError(f"{lost.message}; looked again: {whose} the name {names.live}", hint="run it again")


def _oid(connection: Connection, name: str) -> int | None:
    with translated("looking at the databases"), connection.cursor() as cursor:
        cursor.execute("select oid from pg_database where datname = %s", (name,))
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _is_taken(watcher: Connection, name: str, pid: int) -> bool:
    with translated("watching the swap"), watcher.cursor() as cursor:
        cursor.execute(IS_TAKEN, (name, pid))
        row = cursor.fetchone()
    return bool(row and row[0])


def _not_swapped(error: psycopg2.Error | None, names: Names, stubborn: tuple[str, ...]) -> DatabaseError:
    if stubborn:
        who = "; ".join(stubborn)
        message = f"{names.live}: these sessions could not be ended by this role: {who}"
        return DatabaseError(message, hint="close them, or ask an administrator: `grant pg_signal_backend to <role>`")
    if error is None:
        return DatabaseError(f"{names.live}: the databases were not swapped", hint="run it again")
    return as_database_error(error, f"putting the restored database in the place of {names.live}")
