"""`invoke reset-dev` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.reset_dev import DatabaseReset


def text(result: DatabaseReset) -> str:
    """Say what was done, and where the database stands."""
    reset = result.reset
    kept = f" with {', '.join(reset.extensions)}" if reset.extensions else ""
    dropped = [each for each in reset.schemas if each not in reset.emptied]
    lines = [f"dropped and put back: schema {', '.join(dropped)}{kept}"] if dropped else []
    if reset.emptied:
        why = "; ".join(reset.why_emptied)
        lines.append(f"emptied, because {why}: schema {', '.join(reset.emptied)}{'' if dropped else kept}")
    lines += [f"taken along: {each}" for each in reset.taken]
    count, seeded = len(result.applied), ", seeded" if result.is_seeded else ""
    place = ", ".join(result.now) or "base"
    lines.append(
        f"{result.database}: reset, {count} revision{'s' if count != 1 else ''} applied{seeded} in {result.seconds:.1f} s, now at {place}"
    )
    return "\n".join(lines)
