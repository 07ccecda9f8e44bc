"""Run a plan for real: in a child, under the lock, planned again there, and looked at afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import (
    Project,
    Target,
    limits_of,
    look_on,
    reach_database,
    read_place,
    read_project,
    standing_of,
)
from stillroom.commands._heads import require_one_head
from stillroom.commands._looking_after import stands
from stillroom.commands._truth import require_arrival, settle
from stillroom.core.guard import Standing
from stillroom.core.limits import Limits, after_waiting, longest_silence_s
from stillroom.core.plan import Plan, plan_upgrade
from stillroom.edges.seams import seam
from stillroom.errors import ConnectionLostError, DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from stillroom.edges.alembic.steps import Applied
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Work:
    """Everything a run needs, gathered before the fork."""

    settings: Settings
    project: Project
    target: Target
    limits: Limits
    command: str
    shows_data: bool = False


@dataclass(frozen=True)
class Ran:
    """What a run did, and how long that took with the last look."""

    plan: Plan
    applied: tuple[Applied, ...]
    seconds: float = 0.0


def prepare_upgrade(
    settings: Settings, terminal: Terminal, *, command: str, target: str, wait_s: str
) -> tuple[Work, Standing, Plan]:
    """Read everything an upgrade is decided on; nothing is locked, and nothing heavy imported.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: The database is at a revision that is not here, target lies behind it, or there are several heads.
        DatabaseError: The server did not answer.
    """
    work, current = begin_work(settings, terminal, command=command, wait_s=wait_s, must_write=False)
    standing = standing_of(settings, work.target, current, terminal)
    require_one_head(settings, work.project, current.revisions, target)
    return work, standing, plan_upgrade(work.project.history, current.revisions, target)


def begin_work(
    settings: Settings,
    terminal: Terminal,
    *,
    command: str,
    wait_s: str = "",
    must_write: bool = True,
    needs_history: bool = True,
) -> tuple[Work, Current]:
    """Read the project, reach the server, waiting for it where it is still starting, and look where the database stands.

    Args:
        settings: Where the database is.
        terminal: Told what is waited for.
        command: The task.
        wait_s: Longest wait in seconds, as typed; empty for the setting.
        needs_history: Read the revisions; a task that does not look at them works although one is broken.
        must_write: Whatever is found, the lock will be taken: a pooler or a standby is refused at once.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: A revision file cannot be read, or a pooler stands between.
        DatabaseError: The server did not answer.
    """
    from stillroom.edges.postgres.connect import connect_patiently
    from stillroom.edges.postgres.held import patiently

    project = read_project(settings) if needs_history else read_place(settings)
    target = reach_database(settings, terminal)
    limits, started = limits_of(settings, target, wait_s), time.monotonic()
    patience = {"wait_s": limits.wait_s, "absent_wait_s": limits.absent_wait_s}
    with closing(connect_patiently(target.url, command=command, say=terminal.say, **patience)) as connection:
        left = after_waiting(limits, time.monotonic() - started)
        if must_write:
            from stillroom.edges.postgres.session import require_direct

            require_direct(connection, limits)
        current = patiently(lambda: look_on(connection, target, project, settings), limits, terminal.say)
    return Work(settings, project, target, left, command), current


def run_under_lock(work: Work, terminal: Terminal, body: Callable[[Migrating, Voice], Any]) -> Any:
    """Call body in a child that holds the migration lock.

    Raises:
        StillroomError: What the body raised.
        DatabaseError: The child left without a word; the message says where the database stands.
    """
    from stillroom.edges.child import Ended, run_in_child

    def in_child(say: Voice) -> Any:
        from stillroom.edges.postgres.session import migrating

        with migrating(
            work.target.url, layout=work.project.layout, limits=work.limits, command=work.command, say=say
        ) as held:
            return _stoppable(held, lambda: body(held, say))

    outcome = run_in_child(in_child, terminal, command=work.command, longest_silence_s=longest_silence_s(work.limits))
    if isinstance(outcome, Ended):
        raise DatabaseError(
            f"the process that ran the steps {outcome.status}; {stands(work, work.target)}",
            hint="`invoke status` shows what is pending; correct the revision, if it did that",
        )
    return outcome


def _stoppable(held: Migrating, body: Callable[[], Any]) -> Any:
    """Let a signal cancel what runs in the server, whatever the body does there.

    Raises:
        InterruptedRunError: A signal; steps say by themselves how far they came.
    """
    from stillroom.edges.interrupt import cancelling

    with cancelling(held.connection) as flag:
        try:
            return body()
        except InterruptedRunError:
            raise
        except BaseException:
            if not flag.is_set:
                raise
            raise InterruptedRunError(
                "interrupted; what was under way was rolled back",
                hint="`invoke status` shows where the database stands",
            ) from None


def run_plan(work: Work, held: Migrating, plan: Plan, say: Voice) -> Ran:
    """Run the steps on the connection that holds the lock, then look again on a new one.

    Raises:
        DatabaseError: A step failed, or the database is not where the plan ends.
    """
    from stillroom.edges.alembic.steps import StepRun, run_steps
    from stillroom.edges.postgres.waiting import Watch

    if not plan.steps:
        return Ran(plan, ())
    is_pooled = work.limits.pooler == "session"
    started = time.monotonic()
    watch = None if is_pooled else Watch(work.target.url, command=work.command, pid=held.backend.pid, say=say)
    run = StepRun(held.connection, plan, work.limits, say, say.pulse, watch, work.shows_data)
    # From here on, before the revisions and env.py are imported: they may hang there, too.
    say.pulse()
    try:
        run_steps(run, work.project.layout)
    except ConnectionLostError as lost:
        return Ran(plan, settle(work, held, run, lost), time.monotonic() - started)
    finally:
        say.rest()
    seam("all steps committed")
    require_arrival(work, held, plan)
    seam("looked again")
    return Ran(plan, tuple(run.done), time.monotonic() - started)
