"""The settings as an aligned table: name, value, where from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.config import ConfigShown

WIDEST_VALUE = 60
HEADINGS = ("setting", "value", "from")


def text(result: ConfigShown) -> str:
    """Write one line for each setting, and the project's folder last."""
    rows = [HEADINGS, *((entry.name, entry.value or "-", entry.source) for entry in result.entries)]
    name_width = max(len(name) for name, _, _ in rows)
    # One long value moves its own line only.
    value_width = max(len(value) for _, value, _ in rows if len(value) <= WIDEST_VALUE)
    lines = [f"{name:<{name_width}}  {value:<{value_width}}  {source}" for name, value, source in rows]
    return "\n".join([*lines, "", f"project: {result.root}"])
