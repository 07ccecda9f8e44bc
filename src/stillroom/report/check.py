"""`invoke check` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.check import HeadsChecked, ModelsChecked


def text(result: ModelsChecked | HeadsChecked) -> str:
    """Say whether they agree, and what would make them."""
    if hasattr(result, "heads"):
        if len(result.heads) > 1:
            return f'{len(result.heads)} heads: {", ".join(result.heads)}; `alembic merge heads -m "merge"` joins them'
        return f"one head: {result.heads[0]}" if result.heads else "no revisions yet"
    if not result.differences:
        return f"{result.database}: models and database agree"
    lines = [f"  {each.text}" for each in result.differences]
    count = len(lines)
    last = f"{result.database}: {count} difference{'s' if count > 1 else ''}; `invoke make-migration` writes them down"
    return "\n".join(["to match the models, the database needs:", *lines, last])
