"""`invoke mark` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.mark import Marked


def text(result: Marked) -> str:
    """Say what the mark is, and what follows from it."""
    mark = f"marked {result.mark}" if result.mark else "not marked"
    was = f" (was {result.before or 'not marked'})" if result.before != result.mark else ""
    protected = "protected" if result.is_protected else "not protected"
    return f"{result.database}: {mark}{was}; {protected}: {result.why}"
