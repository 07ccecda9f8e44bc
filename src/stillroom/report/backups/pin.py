"""`invoke backups.pin` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.backups.pin import Pinned


def text(result: Pinned) -> str:
    """Say whether it is pinned now."""
    if not result.is_pinned:
        return f"{result.name}: not pinned{' any more' if result.was_pinned else ', and was not'}"
    reason = f": {result.reason}" if result.reason else ""
    problem = f"; {result.problem}" if result.problem else ""
    return f"{result.name}: pinned{reason}; `invoke backups.pin {result.name} --off` takes the pin away{problem}"
