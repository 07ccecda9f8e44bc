"""`invoke restore` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stillroom.report._amounts import count, size

if TYPE_CHECKING:
    from stillroom.commands._restore_plan import RestorePlanned
    from stillroom.commands.restore import Restored


def plan_lines(plan: RestorePlanned) -> list[str]:
    """Say what a restore would do, and what would be lost by it."""
    place = ", ".join(plan.revisions) or "base"
    what = f"{count(plan.rows, 'row')} of {count(plan.tables, 'table')}, {size(plan.size_bytes)}"
    then = f"compared, then it becomes {plan.becomes}" if plan.becomes != plan.into else "compared, and left there"
    then += f"; the present one is kept as {plan.kept}" if plan.kept else ""
    lines = [
        f"from:  {plan.backup}: {what}, at {place}",
        f"time:  back to {plan.made_at:%Y-%m-%d %H:%M:%S} UTC" + (f"; {plan.since.text}" if plan.since else ""),
        f"into:  {plan.into}, with pg_restore {plan.tool_version}; {then}",
    ]
    return [*lines, *(f"note:  {each}" for each in plan.notes)]


def text(result: Restored | RestorePlanned) -> str:
    """Say what is where; the last line is the next step."""
    if hasattr(result, "becomes"):
        return _plan(cast("RestorePlanned", result))
    place = ", ".join(result.revisions) or "base"
    what = f"{count(result.rows, 'row')} of {count(result.tables, 'table')}, compared with the backup"
    notes = [f"note:  {each}" for each in result.notes]
    if result.is_swapped:
        first = f"{result.database}: restored from {result.backup} in {result.seconds:.1f} s, now at {place}: {what}"
        return "\n".join([*notes, first, *_pending_again(result), *_kept(result)])
    first = f"{result.name}: restored from {result.backup} in {result.seconds:.1f} s, at {place}: {what}"
    why = f" ({result.why_beside})" if result.why_beside else ""
    last = f"{result.database} is as it was{why}; to use the restored one, make {result.name} the name in DATABASE_URL"
    return "\n".join([*notes, first, last])


def _plan(plan: RestorePlanned) -> str:
    return "\n".join([*plan_lines(plan), f"{plan.database} would be restored; nothing was done"])


def _pending_again(result: Restored) -> list[str]:
    """Say that what the replaced database had is pending: the next migrate would run it again."""
    if not set(result.was_at) - set(result.revisions):
        return []
    return [
        f"it was at {', '.join(result.was_at)}, which is pending again: correct that before the next `invoke migrate`"
    ]


def _kept(result: Restored) -> list[str]:
    if not result.kept:
        return []
    quoted = result.kept.replace('"', '""')
    return [f'the old database is kept as {result.kept}; `drop database "{quoted}"` when you are done with it']
