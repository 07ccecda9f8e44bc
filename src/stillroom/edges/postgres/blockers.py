"""The sessions that hold locks on tables of given schemas: named, and ended when that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


@dataclass(frozen=True)
class Blocker:
    """A session that holds a lock on something in the schemas."""

    pid: int
    role: str
    application: str
    state: str
    age_s: int

    @property
    def shown(self) -> str:
        """Name the session in one line."""
        return (
            f"pid {self.pid}, {self.role}, {self.application or 'no application name'}, {self.state} for {self.age_s} s"
        )


def read_blockers(connection: Connection, schemas: tuple[str, ...]) -> tuple[Blocker, ...]:
    """Find the other sessions that hold a lock there; an idle session holds none.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading who holds the tables"), connection.cursor() as cursor:
        cursor.execute(
            """select distinct a.pid, coalesce(a.usename::text, '?'), coalesce(a.application_name, ''), coalesce(a.state, 'state hidden'),
                      coalesce(extract(epoch from pg_catalog.clock_timestamp() - coalesce(a.xact_start, a.state_change))::int, 0)
               from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
               join pg_stat_activity a on a.pid = l.pid
               where l.granted and l.pid <> pg_catalog.pg_backend_pid() and n.nspname = any(%s)
                 and l.database = (select oid from pg_database where datname = pg_catalog.current_database())
               order by 1""",
            (list(schemas),),
        )
        return tuple(Blocker(*row) for row in cursor.fetchall())


def end_sessions(connection: Connection, blockers: tuple[Blocker, ...]) -> None:
    """End the sessions.

    Raises:
        DatabaseError: One belongs to a role that this one may not end.
    """
    with translated("ending the sessions that hold the tables"), connection.cursor() as cursor:
        for each in blockers:
            cursor.execute("select pg_catalog.pg_terminate_backend(%s)", (each.pid,))
