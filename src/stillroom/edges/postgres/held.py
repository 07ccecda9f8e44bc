"""A table that somebody else has locked for itself: our reads wait for it a few seconds, and name who it is."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from psycopg2 import errors

from stillroom.core.limits import Limits, pause_s
from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.blockers import Blocker
from stillroom.errors import HeldError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

Result = TypeVar("Result")
READ_LOCK_TIMEOUT = "5s"
SHOWN = 3
# Only this mode makes a SELECT wait.
_HOLDERS = """
select a.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''), coalesce(a.state, 'state hidden'),
       coalesce(extract(epoch from pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.state_change))::int, 0),
       pg_catalog.array_agg(c.relname::text order by c.relname::text)
from pg_catalog.pg_locks l join pg_catalog.pg_class c on c.oid = l.relation
  join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.granted and l.mode = 'AccessExclusiveLock' and c.relkind in ('r', 'p', 'v', 'm')
  and l.pid <> pg_catalog.pg_backend_pid() and (c.relname::text = any(%(tables)s::text[]) or pg_catalog.cardinality(%(tables)s::text[]) = 0)
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
group by 1, 2, 3, 4, 5 order by 1
"""


def bound_waiting(cursor: Cursor, timeout: str = READ_LOCK_TIMEOUT) -> None:
    """Bound the wait for a locked table, in this transaction alone: behind a pooler the session is somebody else's."""
    cursor.execute("select pg_catalog.set_config('lock_timeout', %s, true)", (timeout,))


@contextmanager
def naming_holders(connection: Connection, *tables: str) -> Iterator[None]:
    """Say who holds what could not be read in time.

    Args:
        connection: In autocommit, with nothing open on it when the block has been left.
        tables: The names of those that are read; none for any.

    Raises:
        HeldError: The wait for a table ran out.
    """
    try:
        yield
    except errors.LockNotAvailable:
        raise _held(connection, tables) from None


def _held(connection: Connection, tables: tuple[str, ...]) -> HeldError:
    with cancelled_by_signals(connection), connection.cursor() as cursor:
        cursor.execute(_HOLDERS, {"tables": list(tables)})
        rows = cursor.fetchall()
    if not rows:
        what = f"{connection.info.dbname}: a table that is read was locked by a session that has just ended"
        return HeldError(what, hint="run the same command again")
    who = "; ".join(f"{Blocker(*row[:5]).shown}, has locked {', '.join(row[5][:SHOWN])}" for row in rows[:SHOWN])
    end = f"`select pg_terminate_backend({rows[0][0]})` ends it"
    return HeldError(f"{connection.info.dbname}: {who}", hint=f"run the same command again when it is gone; {end}")


def patiently(read: Callable[[], Result], limits: Limits, say: Callable[[str], None] | None = None) -> Result:
    """Read again as often as a step would be tried, while somebody else holds the table.

    Args:
        read: Raises `HeldError` while it does.
        limits: How often.
        say: Told each time who holds it.

    Raises:
        HeldError: It is held still.
    """
    for attempt in range(limits.lock_tries):
        try:
            return read()
        except HeldError as error:
            if attempt + 1 == limits.lock_tries:
                raise
            pause = pause_s(attempt, random.random())  # noqa: S311  (spreads concurrent runs)
            if say is not None:
                say(f"waiting: {error.message}; trying again in {pause:.1f} s")
            time.sleep(pause)
    raise AssertionError("unreachable: the last try returns or raises")
