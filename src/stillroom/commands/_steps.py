"""Run a plan for real: in a child, under the lock, planned again there, and looked at afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import (
    Project,
    Target,
    limits_of,
    look,
    reach_database,
    read_project,
    standing_of,
)
from stillroom.core.guard import SAFE_MARKS, Standing
from stillroom.core.limits import Limits
from stillroom.core.plan import Plan, plan_upgrade
from stillroom.errors import DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from stillroom.edges.alembic.steps import Applied
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


@dataclass(frozen=True)
class Ran:
    """What a run did."""

    plan: Plan
    applied: tuple[Applied, ...]


def prepare_upgrade(
    settings: Settings, terminal: Terminal, *, command: str, target: str, wait_s: str
) -> tuple[Work, Standing, Plan]:
    """Read everything an upgrade is decided on; nothing is locked, and nothing heavy imported.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: The database is at a revision that is not here, or target lies behind it.
        DatabaseError: The server did not answer.
    """
    project = read_project(settings)
    database = reach_database(settings, terminal)
    work = Work(settings, project, database, limits_of(settings, database, wait_s), command)
    current = look(database, project, settings, command=command)
    standing = standing_of(settings, database, current, terminal)
    return work, standing, plan_upgrade(project.history, current.revisions, target)


def run_under_lock(work: Work, terminal: Terminal, body: Callable[[Migrating, Callable[[str], None]], Any]) -> Any:
    """Call body in a child that holds the migration lock.

    Raises:
        StillroomError: What the body raised.
        DatabaseError: The child left without a word; the message says where the database stands.
    """
    from stillroom.edges.child import Ended, run_in_child

    def in_child(say: Callable[[str], None]) -> Any:
        from stillroom.edges.postgres.session import migrating

        with migrating(
            work.target.url, layout=work.project.layout, limits=work.limits, command=work.command, say=say
        ) as held:
            return _stoppable(held, lambda: body(held, say))

    outcome = run_in_child(in_child, terminal, command=work.command)
    if isinstance(outcome, Ended):
        current = look(work.target, work.project, work.settings, command=work.command)
        stands = ", ".join(current.revisions) or "no revision"
        raise DatabaseError(
            f"the process that ran the steps {outcome.status}; {current.database} is at {stands}",
            hint="correct the revision that did it; `invoke status` shows what is pending",
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


def run_plan(work: Work, held: Migrating, plan: Plan, say: Callable[[str], None]) -> Ran:
    """Run the steps on the connection that holds the lock, then look again on a new one.

    Raises:
        DatabaseError: A step failed, or the database is not where the plan ends.
    """
    from stillroom.edges.alembic.steps import StepRun, run_steps

    if not plan.steps:
        return Ran(plan, ())
    applied = run_steps(StepRun(held.connection, plan, work.limits, say), work.project.layout)
    _require_arrival(work, plan)
    return Ran(plan, applied)


def _require_arrival(work: Work, plan: Plan) -> None:
    """Never report from what we think we did: read it, on a connection that did not do it."""
    seen = look(work.target, work.project, work.settings, command=work.command).revisions
    if seen != plan.ends_at:
        raise DatabaseError(
            f"every step ran, but the database is at {', '.join(seen) or 'no revision'} and not at {', '.join(plan.ends_at) or 'base'}",
            hint="a revision ended its own transaction or changed the version table; `invoke check` compares the schema",
        )


def mark_if_new(work: Work, held: Migrating, say: Callable[[str], None]) -> None:
    """Write the mark at the first migrate of an empty database, when APP_ENV names development or test."""
    from stillroom.edges.postgres.mark import is_empty, write_mark

    environment = work.settings.environment
    if (
        work.target.is_embedded
        or environment not in SAFE_MARKS
        or held.current.mark is not None
        or held.current.has_version_table
    ):
        return
    if not is_empty(held.connection):
        return
    if write_mark(held.connection, environment):
        say(f"marked {held.current.database} as {environment}: it was empty, and APP_ENV says so")
    else:
        say(
            f"note:  {held.current.database} was not marked: {held.current.role} may not create a schema; it counts as unknown, which protects it"
        )
