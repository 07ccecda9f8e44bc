"""`migrate --resume`: go on with the step that was cut short, or settle it by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._records import plan_upgrade_now, require_unedited
from stillroom.commands._settling import find_resumable, make_ready, require_records, settle
from stillroom.commands._steps import Work, begin_work, run_under_lock
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


def read_outcome(settings: Settings, text: str, *, resumes: bool) -> str:
    """Read `--as`, and refuse `--resume` where nothing is remembered.

    Raises:
        SettingsError: It is neither of the two, or stands without `--resume`.
        RefusedError: The ledger is switched off.
    """
    if text and not resumes:
        raise SettingsError("--as settles a step that was cut short", hint=f"`invoke migrate --resume --as {text}`")
    if text and text not in OUTCOMES:
        raise SettingsError(f"--as is {text!r}", hint=f"one of: {', '.join(OUTCOMES)}")
    if resumes and settings.ledger == "off":
        raise RefusedError(
            "STILLROOM_LEDGER is off, so nobody knows what was cut short", hint="`invoke status`; look at the schema"
        )
    return text


def settle_by_hand(settings: Settings, terminal: Terminal, *, wait_s: str, outcome: str) -> StepSettled:
    """Take somebody's word for what became of the step that was cut short; nothing is run.

    Raises:
        RefusedError: There is nothing to settle, its file is not here, or it could not be entered.
        DatabaseError: The server refused.
        LockBusyError: Another migration holds the lock and the wait ran out.
    """
    from stillroom.commands._database import standing_of

    work, current = begin_work(settings, terminal, command="migrate --resume", wait_s=wait_s)
    require_unedited(work, current.revisions, standing_of(settings, work.target, current, terminal), terminal)

    def body(held: Migrating, say: Voice) -> tuple[str, ...]:
        require_records(work, held)
        return settle(work, held, say, outcome)

    return StepSettled(work.target.shown, outcome, run_under_lock(work, terminal, body))


def plan_the_rest(
    work: Work, held: Migrating, say: Voice, *, target: str, allowed: frozenset[str]
) -> tuple[Plan, OpenStep | None]:
    """Plan what is left: an upgrade goes on to the target, a downgrade undoes its revision and ends there.

    Returns:
        The plan, and the step that is gone on with, ready; None where none was cut short, which is said.

    Raises:
        RefusedError: The step that was cut short is not the next one, or cannot be gone on with.
        DatabaseError: The server refused.
    """
    history, current = work.project.history, held.current.revisions
    step = find_resumable(work, held)
    if step is None:
        say("note:  no step was cut short")
        return plan_upgrade_now(work, held, say, target=target, allowed=allowed), None
    if step.direction == "downgrade":
        ends_at = history.tops(history.closure(current) - {step.revision})
        plan = Plan("downgrade", (step.revision,), current, ends_at)
    else:
        plan = plan_upgrade_now(work, held, say, target=target, allowed=allowed)
        if plan.steps[:1] != (step.revision,):
            raise RefusedError(
                f"{step.revision} was cut short, and is not the next revision here",
                hint="check out what ran; `invoke ledger` names the commit",
            )
    return plan, make_ready(work, held, say, step)
