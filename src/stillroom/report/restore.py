"""`invoke restore` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import count

if TYPE_CHECKING:
    from stillroom.commands.restore import Restored


def text(result: Restored) -> str:
    """Say what is where; the last line is the next step."""
    place = ", ".join(result.revisions) or "base"
    what = f"{count(result.rows, 'row')} of {count(result.tables, 'table')}, compared with the backup"
    notes = [f"note:  {each}" for each in result.notes]
    if result.is_swapped:
        first = f"{result.database}: restored from {result.backup} in {result.seconds:.1f} s, now at {place}: {what}"
        return "\n".join([*notes, first, *_kept(result)])
    first = f"{result.name}: restored from {result.backup} in {result.seconds:.1f} s, at {place}: {what}"
    why = f" ({result.why_beside})" if result.why_beside else ""
    last = f"{result.database} is as it was{why}; to use the restored one, make {result.name} the name in DATABASE_URL"
    return "\n".join([*notes, first, last])


def _kept(result: Restored) -> list[str]:
    if not result.kept:
        return []
    return [f'the old database is kept as {result.kept}; `drop database "{result.kept}"` when you are done with it']
