"""`invoke stamp` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.stamp import Stamped


def text(result: Stamped) -> str:
    """Say what the version table holds now, and why that is right."""
    now, before = (", ".join(each) or "no revision" for each in (result.now, result.before))
    if result.now == result.before:
        return f"{result.database}: nothing to do, at {now}"
    return f"{result.database}: stamped {now} (was {before}); {result.proof}"
