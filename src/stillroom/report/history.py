"""`invoke history` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.history import HistoryRow, HistoryShown


def text(result: HistoryShown) -> str:
    """List the revisions, newest first: `x` is applied, `*` is what the version table holds."""
    lines = [_line(row) for row in result.rows]
    lines += [f"? {each}  (current, but no file here)" for each in result.unknown]
    applied = sum(row.is_applied for row in result.rows)
    return "\n".join([*lines, f"{result.database}: {applied} of {len(result.rows)} revisions applied"])


def _line(row: HistoryRow) -> str:
    sign = "*" if row.is_current else "x" if row.is_applied else " "
    words = ["head"] if row.is_head else []
    words += [f"merges {' and '.join(row.down)}"] if len(row.down) > 1 else [] if row.down else ["base"]
    words += [f"depends on {', '.join(row.depends_on)}"] if row.depends_on else []
    end = f"  ({', '.join(words)})" if words else ""
    return f"{sign} {row.id}  {row.message}{end}"
