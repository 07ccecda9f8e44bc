"""What plain `alembic` is refused, by the same table as the tasks; `-x allow=<danger>` lifts what can be lifted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stillroom.commands._database import standing_of
from stillroom.commands._emptied import NAMED
from stillroom.commands._pending import require_committed
from stillroom.commands._records import require_unedited
from stillroom.core.guard import PLAIN, Standing, parse_allowed, require_allowed
from stillroom.core.plan import Plan

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.terminal import Terminal


def require_plain_allowed(context: Any, work: Work, current: Current, name: str, terminal: Terminal) -> None:
    """Refuse what the tasks would refuse; nothing is locked yet.

    Args:
        context: Alembic's `context` module, inside env.py.
        work: The database.
        current: Where it stands.
        name: Of the inner function of Alembic's command.
        terminal: Told what is worth knowing.

    Raises:
        RefusedError: An applied revision was edited, rows would be lost, or a stamp is not proven.
        DatabaseError: The server did not answer, or refused.
    """
    standing = standing_of(work.settings, work.target, current, terminal)
    allowed = parse_allowed(_x_argument(context))
    if name in {"upgrade", "downgrade"}:
        require_unedited(work, current.revisions, standing, terminal)
    if name == "upgrade" and (current.mark in NAMED or standing.is_contradicted):
        from stillroom.edges.alembic.plain import list_steps

        plan = Plan("upgrade", list_steps(context, current.revisions).revisions, current.revisions, ())
        require_committed(work, plan, standing)
    if name == "downgrade" and standing.is_protected:
        _require_nothing_lost(context, work, current, standing, allowed)
    if name == "do_stamp":
        _require_proof(context, work, current, standing, allowed, terminal)


def _x_argument(context: Any) -> str:
    given = context.get_x_argument(as_dictionary=True)
    return str(given.get("allow", ""))


def _require_nothing_lost(
    context: Any, work: Work, current: Current, standing: Standing, allowed: frozenset[str]
) -> None:
    from stillroom.commands._undoing import count_losses_of, render_downgrades
    from stillroom.edges.alembic.plain import list_steps
    from stillroom.report.rollback import loss_line

    steps = list_steps(context, current.revisions).revisions
    if not steps:
        return
    rendered = render_downgrades(work, Plan("downgrade", steps, current.revisions, ()))
    dying = [each for each in count_losses_of(rendered, work.settings, work.target) if each.count != 0]
    if dying:
        detail = f"it loses {'; '.join(loss_line(each) for each in dying)}"
        act = "rollback that loses rows or values"
        require_allowed(act, standing, allowed=allowed, command="downgrade …", detail=detail, typed=PLAIN)


def _require_proof(
    context: Any, work: Work, current: Current, standing: Standing, allowed: frozenset[str], terminal: Terminal
) -> None:
    from stillroom.commands._proof import prove
    from stillroom.edges.alembic.plain import list_steps

    tops = list_steps(context, current.revisions).ends_at
    if tops == current.revisions or not set(tops) <= work.project.history.revisions.keys():
        return
    proof = prove(work, terminal, tops)
    if proof.differences or not proof.is_possible:
        detail = "; ".join(proof.differences[:8]) or proof.how
        command = f"stamp {' '.join(tops) or 'base'}"
        require_allowed(
            "stamp that cannot be proven", standing, allowed=allowed, command=command, detail=detail, typed=PLAIN
        )
