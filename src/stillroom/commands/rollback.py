"""`invoke rollback`: run downgrades, after showing what dies with them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import standing_of
from stillroom.commands._open_step import require_no_open_step
from stillroom.commands._records import require_unedited
from stillroom.commands._running import run_plan
from stillroom.commands._steps import Ran, begin_work, run_under_lock
from stillroom.commands._strangers import require_known_here
from stillroom.commands._undoing import Undoing, count_losses_of, render_downgrades, require_consent
from stillroom.core.operations import Loss
from stillroom.core.plan import Plan, plan_downgrade
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.core.applied import Applied
    from stillroom.edges.alembic.offline import Rendered
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class RolledBack:
    """Where the database stands now, what was undone, and what died with it."""

    database: str
    plan: Plan
    undone: tuple[Applied, ...]
    losses: tuple[Loss, ...]
    seconds: float


@dataclass(frozen=True)
class RollbackPlanned:
    """What would be undone, and what would die; nothing was touched."""

    database: str
    plan: Plan
    steps: tuple[Rendered, ...]
    losses: tuple[Loss, ...]


def roll_back_database(
    settings: Settings,
    terminal: Terminal,
    *,
    steps: str = "",
    target: str = "",
    plan_only: bool = False,
    wait_s: str = "",
    yes: bool = False,
    allowed: frozenset[str] = frozenset(),
) -> RolledBack | RollbackPlanned:
    """Undo the last revisions, or all after target.

    Args:
        settings: Where the database is, and the timeouts.
        terminal: Shown the revisions and the losses; asked only when something dies.
        steps: How many to undo, as typed; empty for one.
        target: The revision to end at, or "base".
        plan_only: Show, and touch nothing.
        wait_s: Longest wait for the lock in seconds, as typed; empty for the setting.
        yes: Answer the question with yes.
        allowed: Dangers lifted by name.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: No way back, several heads, a protected database that would lose data, or no answer.
        DatabaseError: A step failed, or the server did not answer.
        LockBusyError: Another migration holds the lock and the wait ran out.
        InterruptedRunError: Ctrl-C or a signal; the message says how far it came.
    """
    started = time.monotonic()
    count = _read_steps(steps, target)
    work, current = begin_work(settings, terminal, command="rollback", wait_s=wait_s)
    project, database = work.project, work.target
    standing = standing_of(settings, database, current, terminal)
    require_known_here(settings, project, database, current)
    require_unedited(work, current.revisions, standing, terminal)
    plan = plan_downgrade(project.history, current.revisions, steps=count, target=target)
    if not plan.steps:
        return RolledBack(database.shown, plan, (), (), time.monotonic() - started)
    rendered = render_downgrades(work, plan)
    losses = count_losses_of(rendered, settings, database)
    if plan_only:
        return RollbackPlanned(database.shown, plan, rendered, losses)
    typed = f"rollback --target {target}" if target else "rollback" + (f" --steps {count}" if count > 1 else "")
    require_consent(Undoing(rendered, losses, standing, typed), terminal, yes=yes, allowed=allowed)

    def body(held: Migrating, say: Voice) -> Ran:
        again = plan_downgrade(project.history, held.current.revisions, steps=count, target=target)
        if again != plan:
            raise RefusedError(
                "the database moved while this was decided; nothing was touched", hint=f"`invoke {typed}` looks again"
            )
        require_no_open_step(work, held, say)
        return run_plan(work, held, plan, say)

    ran = run_under_lock(work, terminal, body)
    assert isinstance(ran, Ran)
    return RolledBack(database.shown, plan, ran.applied, losses, time.monotonic() - started)


def _read_steps(text: str, target: str) -> int:
    if text and target:
        raise SettingsError("--steps and --target both say where to end", hint="give one of them")
    if not text:
        return 1
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise SettingsError(
            f"--steps is {text!r}, not a number from 1", hint="for instance `invoke rollback --steps 2`"
        )
    return int(text)
