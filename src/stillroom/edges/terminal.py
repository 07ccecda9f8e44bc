"""The person at the keyboard: progress and notes on stderr, questions only where someone can answer."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field

from stillroom.core.printable import visible
from stillroom.core.redact import Redactor
from stillroom.edges.leaving import await_hangup
from stillroom.edges.progress_line import ProgressLine

NOTHING_KNOWN = Redactor()


@dataclass(frozen=True)
class Terminal:
    """Where progress goes and whether questions may be asked.

    Args:
        is_interactive: A person can answer: stdin and stderr are a terminal, no CI, no `--json`.
        has_colour: Colour may be used on stderr.
        redactor: Masks the secrets of the settings.
        is_watched: Somebody sees a line that is rewritten: stderr is a terminal, no CI, no `--json`, no `NO_COLOR`.
    """

    is_interactive: bool
    has_colour: bool = False
    redactor: Redactor = NOTHING_KNOWN
    is_watched: bool = False
    _progress: ProgressLine = field(default_factory=ProgressLine, repr=False, compare=False)

    def say(self, line: str) -> None:
        """Write one line of progress: masked, and with what a terminal would obey shown as an escape."""
        line = visible(self.redactor.mask(line))
        if self.has_colour:
            from stillroom.edges.colour import coloured

            line = coloured(line)
        self._write(line)

    def show(self, text: str) -> None:
        """Write a text of several lines, masked; what is foreign in it has been made visible by whoever wrote it."""
        self._write(self.redactor.mask(text))

    def show_progress(self, line: str) -> None:
        """Show how far the work is until something else is said; an empty line takes it away."""
        if self.is_watched and line:
            self._progress.show(visible(self.redactor.mask(line)))
        else:
            self._progress.clear()

    def _write(self, text: str) -> None:
        """Write to stderr; a closed or full one never stops the work."""
        self._progress.clear()
        try:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            # Python flushes stderr once more at exit, and would make the exit code 120; give it something that works.
            sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115

    def ask(self, question: str) -> str:
        """Ask and return the stripped answer; an empty one at end of input. Only call when `is_interactive`."""
        return self.ask_or_end(question) or ""

    def ask_or_end(self, question: str) -> str | None:
        """Ask as `ask` does, and tell an ended input (Ctrl-D: None) from Enter alone (empty).

        Raises:
            KeyboardInterrupt: The terminal was closed.
        """
        assert self.is_interactive, "a question without anyone to answer it"
        self._progress.clear()
        with contextlib.suppress(OSError):
            sys.stderr.write(visible(self.redactor.mask(question)))
            sys.stderr.flush()
        try:
            line = sys.stdin.readline()
        except OSError:
            await_hangup()
            raise KeyboardInterrupt from None
        return line.strip() if line else None

    def confirm(self, question: str) -> bool:
        """Ask a yes/no question whose default is no."""
        return self.ask(f"{question} [y/N] ").lower() in {"y", "yes"}


def open_terminal(*, is_ci: bool, is_json: bool, no_color: bool, redactor: Redactor = NOTHING_KNOWN) -> Terminal:
    """Look at the three standard streams and say what may be done with them."""
    is_tty = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    is_interactive = is_tty and not is_ci and not is_json
    is_watched = sys.stderr is not None and sys.stderr.isatty() and not (is_ci or is_json or no_color)
    return Terminal(is_interactive, is_interactive and not no_color, redactor, is_watched)
