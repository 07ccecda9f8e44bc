"""What really became of a run: read on a connection that did not do it, whatever the one that did it has said."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from stillroom.commands._looking_after import (
    AGAIN,
    connect_again,
    look_after,
    reconnect,
    require_same_server,
    shown,
)
from stillroom.core.history import History
from stillroom.core.plan import Plan
from stillroom.core.progress import has_gone_further, positions
from stillroom.errors import ConnectionLostError, DatabaseError, NotReadyError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.core.applied import Applied
    from stillroom.edges.alembic.steps import StepRun
    from stillroom.edges.postgres.session import Migrating


def require_arrival(work: Work, held: Migrating, plan: Plan) -> None:
    """Never report from what we think we did: read it, on a connection that did not do it, while the lock is held.

    Where there is place for one connection only, the lock is let go first; then a database that somebody else has
    taken further is no failure.

    Raises:
        DatabaseError: The database is not where the plan ends, or another server answers.
    """
    from stillroom.edges.postgres.session import leave

    # A session pooler lets a second client in, and then may leave it without a server for ever.
    is_alone = work.limits.pooler == "session"
    if not is_alone:
        try:
            connection = connect_again(work, place_within_s=0.0)
        except NotReadyError:
            is_alone = True
    if is_alone:
        leave(held.connection, work.limits)
        connection = reconnect(work, "every step ran, but the server gives no connection to look again")
    with closing(connection):
        require_same_server(connection, work, held)
        seen = look_after(connection, work, "every step ran")
    if seen != plan.ends_at and not (is_alone and has_gone_further(work.project.history, plan, seen)):
        raise DatabaseError(
            f"every step ran, but the database is at {shown(seen)} and not at {', '.join(plan.ends_at) or 'base'}",
            hint="a revision changed the version table, or another program did; `invoke check` compares the schema",
        )


def settle(work: Work, held: Migrating, run: StepRun, lost: ConnectionLostError) -> tuple[Applied, ...]:
    """Find out whether the step that lost its connection is applied: before and after COMMIT the error is the same.

    Returns:
        All steps of the plan, when the last one was committed and only the confirmation was lost.

    Raises:
        DatabaseError: Not applied, or not all of it, or nobody can tell.
    """
    import psycopg2

    from stillroom.edges.postgres.backend import is_gone

    held.connection.close()
    step = run.running
    unknown = f"{lost.message}; state unknown: nobody answers who could tell whether {step or 'more'} is applied; {run.counts} before"
    with closing(reconnect(work, unknown)) as connection:
        require_same_server(connection, work, held)
        try:
            if not is_gone(connection, held.backend):
                raise DatabaseError(f"{unknown}: its server process {held.backend.pid} is still there", hint=AGAIN)
        except psycopg2.Error:
            raise DatabaseError(unknown, hint=AGAIN) from None
        seen = look_after(connection, work, lost.message)
    if step and _has_arrived(work.project.history, run, seen):
        word = "applied" if run.plan.direction == "upgrade" else "undone"
        run.say(f"note:  {step} is {word}, the confirmation was lost: the connection died, and a new one looked")
        run.confirm(work.project.history.revisions[step].message)
        if len(run.done) == len(run.plan.steps):
            return tuple(run.done)
        step = ""
    left = len(run.plan.steps) - len(run.done) - (1 if step else 0)
    partly = "part of it was committed by an autocommit block; " if run.attempt.has_committed and step else ""
    what = (
        f"{step} is {'not applied' if run.plan.direction == 'upgrade' else 'not undone'}"
        if step
        else "the steps after it were not tried"
    )
    raise DatabaseError(
        f"{lost.message}; looked again: {what}; {partly}{run.counts}, {left} not tried; {work.target.shown} is at {shown(seen)}",
        hint="run the same command again to go on" if not partly else "`invoke status`, then see what of it is there",
    )


def _has_arrived(history: History, run: StepRun, seen: tuple[str, ...]) -> bool:
    """Tell whether the database is where the running step leads, or further."""
    after = positions(history, run.plan)[len(run.done) + 1 :]
    return seen in after or has_gone_further(history, run.plan, seen)
