"""`invoke heads` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.heads import HeadsShown


def text(result: HeadsShown) -> str:
    """List the heads; more than one is followed by the way to join them."""
    lines = [f"{each.id}  {each.message}  ({each.path})" for each in result.heads]
    if len(result.heads) > 1:
        lines.append(f'{len(result.heads)} heads: `alembic merge heads -m "merge"` joins them')
    return "\n".join(lines) or "no revisions yet: `invoke make-migration`"
