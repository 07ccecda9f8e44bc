"""One line at the end of the terminal that says how far the work is; the next one takes its place."""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata

WIDTH = 80  # where the terminal does not say
ECHO = 2  # cells that the terminal itself adds for Ctrl-C: ^C


class ProgressLine:
    """What stands there now; written with blanks and carriage returns alone, so that any terminal can do it."""

    def __init__(self) -> None:
        self._width = 0

    def show(self, text: str) -> None:
        """Put a text in the place of the one before; it is cut where the terminal would begin another line."""
        text = _cut(text, _columns() - ECHO - 1)
        self.clear()
        self._put(text)
        self._width = sum(map(_cells, text))

    def clear(self) -> None:
        """Take it away, so that other lines begin at the left."""
        if self._width:
            self._put(f"\r{' ' * (self._width + ECHO)}\r")
            self._width = 0

    def _put(self, text: str) -> None:
        """Write; a terminal that is gone never stops the work."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or WIDTH
    except (OSError, ValueError):
        return WIDTH


def _cells(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, width: int) -> str:
    while sum(map(_cells, text)) > width:
        text = text[:-1]
    return text
