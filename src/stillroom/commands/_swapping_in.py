"""A restored database takes the live one's place, or stays beside it, whole, and is named."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.databases import connect_beside, connect_beside_or_to, finish
from stillroom.edges.postgres.swap import Names, UnknownSwapError, move_in, swap
from stillroom.edges.seams import seam
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating

UNTOUCHED = "the live database is untouched"


def swap_in(work: Work, admin: Connection, names: Names, held: Migrating | None, say: Voice) -> None:
    """Give the restored database the live one's name.

    Args:
        work: About the live database.
        admin: A connection beside it.
        names: Of both, and of what becomes of the live one.
        held: The migration lock of the live one; None when there is none.
        say: Told that sessions end.

    Raises:
        DatabaseError: The server refused, or the mark cannot be carried over; the copy stays and is named.
        UnknownSwapError: The connection was lost, and what is where could not be looked into.
    """
    url, command = work.target.url, work.command
    again = partial(connect_beside, url, command=command)
    try:
        if held is None:
            move_in(admin, names, reconnect=again)
            return
        _carry_mark(work, names.restored, held)
        seam("mark carried over")
        say(f"swapping {names.restored} in; all sessions of {names.live} end")
        with closing(connect_beside(url, command=command)) as watcher:
            pid = held.connection.info.backend_pid
            swap(admin, watcher, names, let_go=held.connection.close, holder_pid=pid, reconnect=again)
    except UnknownSwapError:
        raise
    except DatabaseError as error:
        raise _not_swapped(work, error, names) from None


def _carry_mark(work: Work, restored: str, held: Migrating) -> None:
    """Keep what the live database says it is: a backup must not make a protected one unprotected.

    Raises:
        DatabaseError: The mark cannot be written; nothing is swapped.
    """
    from stillroom.edges.postgres.mark import carry_mark

    url = work.target.url
    with closing(connect(url, command=work.command, database=restored)) as connection:
        if not carry_mark(connection, held.current.mark):
            raise DatabaseError(
                f"the mark of {url.name} cannot be carried over: {held.current.role} may not write it",
                hint="restore as the owner of the database",
            )


def _not_swapped(work: Work, error: DatabaseError, names: Names) -> DatabaseError:
    """Keep the copy, which is whole, and say so; one that cannot be told from a half one is dropped by the next run."""
    try:
        with closing(connect_beside_or_to(work.target.url, command=work.command)) as connection:
            finish(connection, names.restored, names.comment)
    except DatabaseError:
        note = f"{names.restored} is dropped by the next restore"
        return DatabaseError(f"{error.message}; {UNTOUCHED}; {note}", hint=error.hint)
    return DatabaseError(
        f"{error.message}; {UNTOUCHED}, and {names.restored} holds the whole backup",
        hint=f"{error.hint}; or write {names.restored} as the database's name in DATABASE_URL",
    )
