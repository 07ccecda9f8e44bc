"""`invoke ledger` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.ledger import LedgerShown
    from stillroom.core.ledger.runs import Run, Step

SIGNS = {"applied": "+", "undone": "-"}
SHORT = 10


def text(result: LedgerShown) -> str:
    """Write each run with its steps, the last one at the end; the last line counts."""
    if result.missing:
        return f"{result.database}: {result.missing}"
    blocks = [line for each in result.runs for line in _run(each)]
    more = f", the last {len(result.runs)} are shown: `--all`" if result.count > len(result.runs) else ""
    return "\n".join([*blocks, f"{result.database}: {result.count} run{'s' if result.count != 1 else ''}{more}"])


def _run(run: Run) -> list[str]:
    took = f" in {run.seconds:.1f} s" if run.seconds is not None and run.outcome != "accepted" else ""
    error = f" ({run.sqlstate})" if run.sqlstate else ""
    was, now = (", ".join(each) or "base" for each in (run.before, run.after))
    moved = f"  {was} -> {now}" if run.before != run.after else ""
    code = f"  {run.commit[:SHORT]}{' (changed)' if run.is_dirty else ''}" if run.commit else ""
    lines = [
        f"{run.started_at:%Y-%m-%d %H:%M:%S}  {run.command}  {run.outcome}{took}{error}{moved}  {run.by} as {run.role}{code}"
    ]
    lines += [f"    {', '.join(run.before) or 'base'} -> base, {run.reset}"] if run.reset else []
    lines += [_step(each) for each in run.steps]
    lines += [f"    backup {run.backup}"] if run.backup else []
    lines += [f"    reason: {run.reason}"] if run.reason else []
    return lines


def _step(step: Step) -> str:
    error = f" ({step.sqlstate})" if step.sqlstate else ""
    sign = SIGNS.get(step.outcome, " ") if step.kind == "step" else " "
    if step.kind == "settlement":
        return f"    {step.revision}  settled as {step.outcome}"
    ended = "" if step.outcome in SIGNS else f"  {step.outcome}{error}"
    return f"  {sign} {step.revision}  {step.seconds:.2f} s{ended}"
