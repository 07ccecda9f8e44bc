"""`invoke ledger.accept` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.ledger.accept import Accepted


def text(result: Accepted) -> str:
    """Name what counts from now on, and what was left."""
    lines = [f"left: {each}" for each in result.left]
    count = len(result.revisions)
    if not count and not result.left:
        return f"{result.database}: every applied revision is what ran; there is nothing to accept"
    said = f"accepted as they are now: {', '.join(result.revisions)}" if count else "nothing was accepted"
    more = f"; {len(result.left)} left, accept them one by one" if result.left else ""
    return "\n".join([*lines, f"{result.database}: {said}{more}"])
