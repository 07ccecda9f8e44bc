"""Databases that killed runs left beside the project's: told by their comment, and dropped by the next run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stillroom.edges.postgres.databases import CREATING, UNFINISHED, drop
from stillroom.edges.postgres.errors import translated
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

LEFT = "dropped {}, which an interrupted run had left"
# Never got its comment. A copy that is kept beside the live database has such a name too, and lets everybody in.
NAMELESS = """
select datname from pg_database
where not datallowconn and datname::text ~ '(^stillroom_scratch|_restore)_[0-9a-f]{12}$'::text
  and pg_catalog.shobj_description(oid, 'pg_database') is null and pg_catalog.pg_has_role(current_user, datdba, 'member')
"""


def sweep_unfinished(connection: Connection, say: Callable[[str], None]) -> None:
    """Drop what killed runs left: databases of the role whose comment names them, and a session that is gone.

    The name is in the comment, so that a database is safe under any other name, a renamed one above all.
    """
    with translated("looking for what interrupted runs left"), connection.cursor() as cursor:
        cursor.execute(
            """select datname, pg_catalog.shobj_description(oid, 'pg_database') from pg_database
               where pg_catalog.shobj_description(oid, 'pg_database') like %s and pg_catalog.pg_has_role(current_user, datdba, 'member')""",
            (UNFINISHED.format("%") + "%",),
        )
        found = cursor.fetchall()
        cursor.execute("select pid from pg_stat_activity")
        alive = {str(pid) for (pid,) in cursor.fetchall()}
    for name, comment in found:
        start, session = UNFINISHED.format(name), comment.rpartition(" ")[2]
        if comment == start + session and session.isdecimal() and session not in alive:
            _sweep(connection, name, say)
    _sweep_nameless(connection, say)


def _sweep(connection: Connection, name: str, say: Callable[[str], None]) -> None:
    """Drop what is left; where that cannot be done now, it is no reason not to go on."""
    try:
        drop(connection, name)
    except DatabaseError as error:
        say(f"note:  {name} is left, which an interrupted run had made ({error.message})")
    else:
        say(LEFT.format(name))


def _sweep_nameless(connection: Connection, say: Callable[[str], None]) -> None:
    """Drop what a run left that was killed while the server made it, unless another one makes one right now."""
    with translated("looking for what interrupted runs left"), connection.cursor() as cursor:
        cursor.execute(NAMELESS)
        if not cursor.fetchall():
            return
        cursor.execute("select pg_catalog.pg_try_advisory_lock(%s::bigint)", (CREATING,))
        if not (cursor.fetchone() or (False,))[0]:
            return
        try:
            cursor.execute(NAMELESS)
            for (name,) in cursor.fetchall():
                _sweep(connection, name, say)
        finally:
            cursor.execute("select pg_catalog.pg_advisory_unlock(%s::bigint)", (CREATING,))
