"""Run the steps of a plan under the lock, look again on a new connection, and enter all of it in the ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stillroom.commands._open_step import forget_nothing
from stillroom.commands._recording import Recording, begin_recording, end_recording
from stillroom.commands._steps import Ran, Work
from stillroom.commands._truth import require_arrival, settle
from stillroom.core.plan import Plan
from stillroom.core.progress import positions
from stillroom.edges.seams import seam
from stillroom.errors import ConnectionLostError, DatabaseError, StillroomError

if TYPE_CHECKING:
    from stillroom.core.journal import OpenStep
    from stillroom.edges.alembic.steps import StepRun
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating


def run_plan(
    work: Work, held: Migrating, plan: Plan, say: Voice, *, backup: str = "", resumed: OpenStep | None = None
) -> Ran:
    """Run the steps on the connection that holds the lock, then look again on a new one; all of it is entered in the ledger.

    Args:
        work: What is run.
        held: The connection.
        plan: The steps.
        say: Told each one.
        backup: The name of the backup that was made before.
        resumed: The first step, where it was cut short and is gone on with.

    Raises:
        DatabaseError: A step failed, or the database is not where the plan ends.
    """
    from stillroom.edges.alembic.steps import StepRun, run_steps
    from stillroom.edges.postgres.waiting import Watch

    if not plan.steps:
        return Ran(plan, ())
    recording = begin_recording(work, held, say, plan.starts_at, backup=backup)
    is_pooled = work.limits.pooler == "session"
    started = time.monotonic()
    watch = None if is_pooled else Watch(work.target.url, command=work.command, pid=held.backend.pid, say=say)
    ledger = recording.ledger if recording else None
    run = StepRun(held.connection, plan, work.limits, say, say.pulse, watch, work.shows_data, ledger, resumed)
    # From here on, before the revisions and env.py are imported: they may hang there, too.
    say.pulse()
    try:
        try:
            run_steps(run, work.project.layout)
        except ConnectionLostError as lost:
            return _settled(work, held, run, lost, recording, started)
        finally:
            say.rest()
        seam("all steps committed")
        require_arrival(work, held, plan)
    except StillroomError as error:
        _enter_failure(work, held, run, recording, error)
        raise
    _enter_end(work, held, run, recording)
    seam("looked again")
    return Ran(plan, tuple(run.done), time.monotonic() - started)


def _settled(
    work: Work, held: Migrating, run: StepRun, lost: ConnectionLostError, recording: Recording | None, started: float
) -> Ran:
    """Find out what became of a run that lost its connection."""
    applied = settle(work, held, run, lost)
    _enter_end(work, held, run, recording)
    return Ran(run.plan, applied, time.monotonic() - started)


def _enter_end(work: Work, held: Migrating, run: StepRun, recording: Recording | None) -> None:
    """Enter that the run came to its end; the steps are applied, and looked at, also where that cannot be entered."""
    try:
        end_recording(work, held, recording, run.plan.ends_at)
    except DatabaseError as failure:
        run.say(f"note:  the end of this run was not entered in the ledger: {failure.message}")


def _enter_failure(
    work: Work, held: Migrating, run: StepRun, recording: Recording | None, error: StillroomError
) -> None:
    """Enter what failed; that it failed is said in any case, also where it cannot be entered."""
    here = positions(work.project.history, run.plan)[len(run.done)]
    try:
        if recording:
            forget_nothing(work, held.connection, recording.ledger.role)
        end_recording(work, held, recording, here, error, sqlstate=run.sqlstate, steps=run.failed_entries(error))
    except DatabaseError as failure:
        run.say(f"note:  this was not entered in the ledger: {failure.message}")
