"""`invoke heads.merge` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.heads.merge import HeadsMerged


def text(result: HeadsMerged) -> str:
    """Say what was written, and what follows what now."""
    if result.outcome == "nothing":
        return f"one head: {result.head}; nothing to merge" if result.head else "no revisions yet; nothing to merge"
    lines = [f"warning: {each}" for each in result.warnings]
    if result.outcome == "merged":
        lines.append(f"wrote {result.path}: {result.revision} follows {' and '.join(result.follows)}")
    else:
        was = result.followed or "nothing"
        lines.append(f"changed {result.path}: {result.revision} follows {result.follows[0]} now, and followed {was}")
    ends = "one head now" if "," not in result.head else "heads now"
    return "\n".join([*lines, f"{ends}: {result.head}; `invoke migrate` applies what is pending", result.add_command])
