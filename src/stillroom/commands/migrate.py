"""`invoke migrate`: upgrade the database to a revision."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._adoption import require_no_tables, require_no_tables_now
from stillroom.commands._emptied import note_emptied
from stillroom.commands._marking import mark_if_new
from stillroom.commands._open_step import require_no_open_step
from stillroom.commands._pending import require_committed, require_whole_files
from stillroom.commands._records import plan_upgrade_now
from stillroom.commands._rendering import render_plan
from stillroom.commands._resuming import StepSettled, plan_the_rest, read_outcome, settle_by_hand
from stillroom.commands._running import run_plan
from stillroom.commands._steps import Ran, Work, prepare_upgrade, run_under_lock
from stillroom.core.guard import require_allowed
from stillroom.core.plan import HEAD, Plan

if TYPE_CHECKING:
    from stillroom.core.applied import Applied
    from stillroom.edges.alembic.offline import Rendered
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Migrated:
    """Where the database stands now, and what was applied to get there."""

    database: str
    plan: Plan
    applied: tuple[Applied, ...]
    seconds: float


@dataclass(frozen=True)
class MigrationPlanned:
    """What would run; nothing did."""

    database: str
    plan: Plan
    steps: tuple[Rendered, ...]


def migrate_database(
    settings: Settings,
    terminal: Terminal,
    *,
    target: str = HEAD,
    plan_only: bool = False,
    wait_s: str = "",
    shows_data: bool = False,
    allowed: frozenset[str] = frozenset(),
    resumes: bool = False,
    settled_as: str = "",
) -> Migrated | MigrationPlanned | StepSettled:
    """Apply what is pending up to target, one transaction each, under the migration lock.

    Args:
        settings: Where the database is, and the timeouts.
        terminal: Told the progress.
        target: A revision id, "head" (the only one) or "heads" (all of them).
        plan_only: Show the revisions and their SQL, run nothing.
        wait_s: Longest wait for the lock in seconds, as typed; empty for the setting.
        shows_data: Let errors show rows and parameters.
        allowed: "ahead" accepts a database that is ahead of this checkout.
        resumes: Go on with a step that was cut short.
        settled_as: "applied" or "undone": take that for what became of it.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: The database is at a revision that is not here, target lies behind it, there are several heads,
            a pending file is not whole, or no revision is applied and tables of the pending ones are there.
        DatabaseError: A step failed, the server did not answer, or the database is not where the plan ends.
        LockBusyError: Another migration holds the lock and the wait ran out.
        InterruptedRunError: Ctrl-C or a signal; the message says how far it came.
    """
    started = time.monotonic()
    outcome = read_outcome(settings, settled_as, resumes=resumes)
    if outcome:
        return settle_by_hand(settings, terminal, wait_s=wait_s, outcome=outcome)
    work, standing, plan = prepare_upgrade(
        settings,
        terminal,
        command="migrate",
        target=target,
        wait_s=wait_s,
        allowed=allowed,
        skips_open=plan_only or resumes,
    )
    database = work.target.shown
    goes_on = resumes and work.open_step is not None
    if not plan.steps and not goes_on:
        return Migrated(database, plan, (), time.monotonic() - started)
    require_whole_files(work.project, plan)
    if not goes_on:  # the tables of a first revision that was cut short are its own
        require_no_tables(work, plan, terminal, proves=not plan_only)
    if plan_only:
        return MigrationPlanned(database, plan, render_plan(work, plan))
    require_allowed("migrate", standing, command="migrate")
    require_committed(work, plan, standing)
    work = replace(work, shows_data=shows_data)
    ran = upgrade_under_lock(work, terminal, target=target, allowed=allowed, resumes=resumes)
    return Migrated(database, ran.plan, ran.applied, time.monotonic() - started)


def upgrade_under_lock(
    work: Work, terminal: Terminal, *, target: str, allowed: frozenset[str] = frozenset(), resumes: bool = False
) -> Ran:
    """Take the lock, plan again with what is current now, and run that."""

    def body(held: Migrating, say: Voice) -> Ran:
        step = None
        if resumes:
            plan, step = plan_the_rest(work, held, say, target=target, allowed=allowed)
        else:
            plan = plan_upgrade_now(work, held, say, target=target, allowed=allowed)
        require_whole_files(work.project, plan)
        if step is None:
            require_no_open_step(work, held, say)
            require_no_tables_now(work, held, plan)
            note_emptied(work, held, plan, say)
        if plan.steps:
            mark_if_new(work, held, say)
        return run_plan(work, held, plan, say, resumed=step)

    ran = run_under_lock(work, terminal, body)
    assert isinstance(ran, Ran)
    return ran
