"""Colour for lines of progress, by `rich` when the extra brought it; plain text without."""

from __future__ import annotations

STYLES = {
    "error:": "bold red",
    "hint:": "cyan",
    "note:": "yellow",
    "  + ": "green",
    "  - ": "magenta",
    "    loses ": "bold red",
}


def coloured(line: str) -> str:
    """Colour a line by what it begins with."""
    style = next((style for start, style in STYLES.items() if line.startswith(start)), None)
    if style is None:
        return line
    try:
        from rich.color import ColorSystem
        from rich.style import Style
    except ImportError:
        return line
    return Style.parse(style).render(line, color_system=ColorSystem.STANDARD)
