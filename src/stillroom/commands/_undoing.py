"""What a rollback would undo and lose, and whether that is meant."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import Target, search_path_of
from stillroom.commands._rendering import Render, rendering
from stillroom.core.guard import Standing, require_allowed
from stillroom.core.operations import Loss, find_droppings
from stillroom.core.plan import Plan
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.alembic.offline import Rendered
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Undoing:
    """What would be undone, what dies with it, where, and the command as typed."""

    rendered: tuple[Rendered, ...]
    losses: tuple[Loss, ...]
    standing: Standing
    typed: str


def render_downgrades(work: Work, plan: Plan) -> tuple[Rendered, ...]:
    """Run each downgrade against nothing; refuse one that would do nothing where its upgrade did something.

    Raises:
        RefusedError: There is no way back, or a revision does not let itself be rendered.
        InterruptedRunError: A signal; nothing was touched.
    """
    from stillroom.edges.alembic.offline import with_locks

    return with_locks(rendering(work, lambda render: _render_ways_back(work, plan, render)))


def _render_ways_back(work: Work, plan: Plan, render: Render) -> tuple[Rendered, ...]:
    rendered = tuple(render(revision, "downgrade") for revision in plan.steps)
    for step in rendered:
        path = work.project.history.revisions[step.revision].path
        if step.is_missing:
            raise RefusedError(
                f"{path} has no downgrade(), so there is no way back",
                hint="write one, or restore a backup: `invoke backups`",
            )
        if step.is_empty and not render(step.revision, "upgrade").is_empty:
            raise RefusedError(
                f"{path}: downgrade() is empty and upgrade() is not, so nothing would be undone",
                hint="write the downgrade, or restore a backup: `invoke backups`",
            )
    return rendered


def count_losses_of(rendered: tuple[Rendered, ...], settings: Settings, database: Target) -> tuple[Loss, ...]:
    """Count what dies with these steps, on the live rows.

    Raises:
        DatabaseError: The server did not answer, or refused.
    """
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.counting import count_losses

    droppings = find_droppings(tuple(each for step in rendered for each in step.operations))
    unknown = tuple(Loss(f"revision {step.revision}: {step.problem}", None) for step in rendered if step.problem)
    if not droppings:
        return unknown
    with closing(connect(database.url, command="rollback")) as connection:
        return count_losses(connection, droppings, search_path=search_path_of(settings, database)) + unknown


def require_consent(undoing: Undoing, terminal: Terminal, *, yes: bool, allowed: frozenset[str]) -> None:
    """Show what is undone and what dies; refuse or ask where something dies.

    Args:
        undoing: What would be undone.
        terminal: Shown it, and asked.
        yes: The answer was given on the command line.
        allowed: Dangers lifted by name.

    Raises:
        RefusedError: The database is protected, the answer is no, or nobody is there to be asked.
    """
    from stillroom.report.rollback import loss_line

    dying = [each for each in undoing.losses if each.count != 0]
    if dying:
        for step in undoing.rendered:
            terminal.say(f"to undo: {step.revision}  {step.message}")
        for each in dying:
            terminal.say(f"loses:   {loss_line(each)}")
    act = "rollback that loses rows or values" if dying else "rollback that loses nothing"
    detail = "; ".join(loss_line(each) for each in dying)
    said = f"it loses {detail}" if dying else ""
    require_allowed(act, undoing.standing, allowed=allowed, command=undoing.typed, detail=said)
    if dying and not yes:
        _ask(terminal, detail, undoing.typed + (" --yes --allow " + ",".join(sorted(allowed)) if allowed else " --yes"))


def _ask(terminal: Terminal, detail: str, typed: str) -> None:
    if not terminal.is_interactive:
        raise RefusedError(
            f"this loses {detail}, and nobody is there to be asked", hint=f"if that is meant: `invoke {typed}`"
        )
    if not terminal.confirm("undo, and lose that?"):
        raise RefusedError("answered no; nothing was touched", hint="`invoke backup` first makes it safe to try")
