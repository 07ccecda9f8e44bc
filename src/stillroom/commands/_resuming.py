"""`migrate --resume`: go on with the step that was cut short, or settle it by hand."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._database import standing_of
from stillroom.commands._records import plan_upgrade_now, require_unedited
from stillroom.commands._running import run_plan
from stillroom.commands._settling import prepare_resuming, settle
from stillroom.commands._steps import Ran, Work, begin_work, run_under_lock
from stillroom.core.plan import Plan
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.core.journal import OpenStep
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

OUTCOMES = ("applied", "undone")


@dataclass(frozen=True)
class Resumed:
    """What came of it: the database as it is shown, and what ran."""

    database: str
    ran: Ran
    seconds: float


@dataclass(frozen=True)
class StepSettled:
    """A step that counts as applied or undone from now on, because somebody says so.

    Args:
        database: Its name and server.
        settled: "applied" or "undone".
        now: What the version table holds.
    """

    database: str
    settled: str
    now: tuple[str, ...]


def read_outcome(text: str, *, resumes: bool) -> str:
    """Read `--as`.

    Raises:
        SettingsError: It is neither of the two, or stands without `--resume`.
    """
    if text and not resumes:
        raise SettingsError("--as settles a step that was cut short", hint=f"`invoke migrate --resume --as {text}`")
    if text and text not in OUTCOMES:
        raise SettingsError(f"--as is {text!r}", hint=f"one of: {', '.join(OUTCOMES)}")
    return text


def resume(
    settings: Settings, terminal: Terminal, *, target: str, wait_s: str, shows_data: bool, outcome: str
) -> Resumed | StepSettled:
    """Go on with the step that was cut short, then with what is pending; or take somebody's word for what became of it.

    Raises:
        RefusedError: It cannot be gone on with, or there is nothing to settle.
        DatabaseError: A step failed, or the server did.
        LockBusyError: Another migration holds the lock and the wait ran out.
        InterruptedRunError: A signal; the message says how far it came.
    """
    started = time.monotonic()
    if settings.ledger == "off":
        raise RefusedError(
            "STILLROOM_LEDGER is off, so nobody knows what was cut short", hint="`invoke status`; look at the schema"
        )
    work, current = begin_work(settings, terminal, command="migrate --resume", wait_s=wait_s)
    require_unedited(work, current.revisions, standing_of(settings, work.target, current, terminal), terminal)
    work = replace(work, shows_data=shows_data)

    def body(held: Migrating, say: Voice) -> Ran:
        if outcome:
            now = settle(work, held, say, outcome)
            return Ran(Plan("upgrade", (), now, now), ())
        step = prepare_resuming(work, held, say)
        if step is None:
            say("note:  no step was cut short")
        return run_plan(work, held, _plan(work, held, say, step, target), say, resumed=step)

    ran = run_under_lock(work, terminal, body)
    assert isinstance(ran, Ran)
    if outcome:
        return StepSettled(work.target.shown, outcome, ran.plan.ends_at)
    return Resumed(work.target.shown, ran, time.monotonic() - started)


def _plan(work: Work, held: Migrating, say: Voice, step: OpenStep | None, target: str) -> Plan:
    """Plan the rest: an upgrade goes on to the target, a downgrade undoes its revision and ends there.

    Raises:
        RefusedError: The step that was cut short is not the next one.
    """
    history, current = work.project.history, held.current.revisions
    if step is not None and step.direction == "downgrade":
        ends_at = history.tops(history.closure(current) - {step.revision})
        return Plan("downgrade", (step.revision,), current, ends_at)
    plan = plan_upgrade_now(work, held, say, target=target, allowed=frozenset())
    if step is not None and plan.steps[:1] != (step.revision,):
        raise RefusedError(
            f"{step.revision} was cut short, and is not the next revision here",
            hint="check out what ran; `invoke ledger` names the commit",
        )
    return plan
