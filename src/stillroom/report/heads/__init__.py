"""`invoke heads` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.heads import HeadsShown


def text(result: HeadsShown) -> str:
    """List the heads; several are shown as the chains that lead to them, with the way to join them."""
    if result.fork is not None:
        return "\n".join([*result.fork.lines, f"{result.fork.summary}: `invoke heads.merge` joins them"])
    lines = [f"{each.id}  {each.message}  ({each.path})" for each in result.heads]
    return "\n".join(lines) or "no revisions yet: `invoke make-migration`"
