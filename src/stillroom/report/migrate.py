"""`invoke migrate` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from stillroom.commands._resuming import StepSettled
    from stillroom.commands.migrate import Migrated, MigrationPlanned
    from stillroom.core.locks import Lock
    from stillroom.edges.alembic.offline import Rendered


def text(result: Migrated | MigrationPlanned | StepSettled) -> str:
    """Say where the database stands; the steps were said while they ran."""
    if hasattr(result, "steps"):
        return _plan(cast("MigrationPlanned", result))
    if hasattr(result, "settled"):
        settled = cast("StepSettled", result)
        return f"{settled.database}: settled as {settled.settled}, nothing was run; at {', '.join(settled.now) or 'no revision'}"
    place = ", ".join(result.plan.ends_at) or "no revision"
    if not result.applied:
        return f"{result.database}: nothing to do, at {place}"
    count = len(result.applied)
    word = "applied" if result.plan.direction == "upgrade" else "undone"
    return f"{result.database}: {count} revision{'s' if count > 1 else ''} {word} in {result.seconds:.1f} s, now at {place}"


def _plan(result: MigrationPlanned) -> str:
    blocks = [_step(each) for each in result.steps]
    count = len(result.steps)
    revisions = f"{count} revision{'s' if count > 1 else ''}"
    way = f"from {', '.join(result.plan.starts_at) or 'base'} to {', '.join(result.plan.ends_at)}"
    last = f"{result.database}: {revisions} would run, {way}; nothing was run"
    return "\n\n".join([*blocks, last])


def _step(step: Rendered) -> str:
    lines = [f"-- {step.revision}  {step.message}", *(lock_line(each) for each in step.locks)]
    if step.problem:
        lines.append(f"-- cannot be shown without a connection ({step.problem})")
    elif not step.sql:
        lines.append("-- no SQL")
    return "\n".join([*lines, step.sql] if step.sql else lines)


def lock_line(lock: Lock) -> str:
    """Say what is locked and whom that keeps out."""
    if not lock.blocks:
        return f"-- locks: {lock.mode} ({lock.relation})"
    return f"-- locks: {lock.relation} {lock.mode} (blocks {lock.blocks})"
