"""The person at the keyboard: progress and notes on stderr, questions only where someone can answer."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Terminal:
    """Where progress goes and whether questions may be asked.

    Args:
        is_interactive: A person can answer: stdin and stderr are a terminal, no CI, no `--json`.
        has_colour: Colour may be used on stderr.
    """

    is_interactive: bool
    has_colour: bool = False

    def say(self, line: str) -> None:
        """Write one line of progress; a closed or full stderr never stops the work."""
        if self.has_colour:
            from stillroom.edges.colour import coloured

            line = coloured(line)
        try:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            # Python flushes stderr once more at exit, and would make the exit code 120; give it something that works.
            sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115

    def ask(self, question: str) -> str:
        """Ask and return the stripped answer; an empty one at end of input. Only call when `is_interactive`."""
        assert self.is_interactive, "a question without anyone to answer it"
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline().strip()

    def confirm(self, question: str) -> bool:
        """Ask a yes/no question whose default is no."""
        return self.ask(f"{question} [y/N] ").lower() in {"y", "yes"}


def open_terminal(*, is_ci: bool, is_json: bool, no_color: bool) -> Terminal:
    """Look at the three standard streams and say what may be done with them."""
    is_tty = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    is_interactive = is_tty and not is_ci and not is_json
    return Terminal(is_interactive=is_interactive, has_colour=is_interactive and not no_color)
