"""How far a plan came, told from what the version table holds."""

from __future__ import annotations

from stillroom.core.history import History
from stillroom.core.plan import Plan


def positions(history: History, plan: Plan) -> tuple[tuple[str, ...], ...]:
    """List what the version table holds after none, one, two … of the plan's steps."""
    applied = history.closure(plan.starts_at)
    found = [plan.starts_at]
    for count in range(1, len(plan.steps) + 1):
        moved = frozenset(plan.steps[:count])
        found.append(history.tops(applied | moved if plan.direction == "upgrade" else applied - moved))
    return tuple(found)


def has_gone_further(history: History, plan: Plan, current: tuple[str, ...]) -> bool:
    """Tell whether somebody else went on in the plan's direction from where it ends."""
    if any(each not in history.revisions for each in current):
        return False
    here, end = history.closure(current), history.closure(plan.ends_at)
    return here > end if plan.direction == "upgrade" else here < end
