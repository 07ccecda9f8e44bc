"""`invoke rollback` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report.migrate import lock_line

if TYPE_CHECKING:
    from stillroom.commands.rollback import RollbackPlanned, RolledBack
    from stillroom.core.operations import Loss


def text(result: RolledBack | RollbackPlanned) -> str:
    """Say where the database stands, or what would be undone."""
    place = ", ".join(result.plan.ends_at) or "base"
    if hasattr(result, "steps"):
        lines = []
        for step in result.steps:
            lines += [
                f"-- {step.revision}  {step.message}",
                *(lock_line(each) for each in step.locks),
                step.sql or "-- no SQL",
            ]
        lines += [f"would lose {loss_line(each)}" for each in result.losses if each.count != 0]
        count = len(result.steps)
        return "\n".join(
            [
                *lines,
                f"{result.database}: {count} revision{'s' if count > 1 else ''} would be undone, down to {place}; nothing was touched",
            ]
        )
    if not result.undone:
        return f"{result.database}: nothing to do, at {place}"
    count = len(result.undone)
    return f"{result.database}: {count} revision{'s' if count > 1 else ''} undone in {result.seconds:.1f} s, now at {place}"


def loss_line(loss: Loss) -> str:
    """Say what dies in a few words."""
    if loss.count is None:
        return f"{loss.what}: cannot be counted"
    thing = "value" if loss.what.startswith("column") else "row"
    about = "about " if loss.is_estimate else ""
    end = " (estimate)" if loss.is_estimate else ""
    return f"{loss.what}: {about}{loss.count:,} {thing}{'' if loss.count == 1 else 's'}{end}"
