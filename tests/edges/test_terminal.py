"""What is said, and whether it has colour."""

from __future__ import annotations

import io
import sys

import pytest

from stillroom.core.redact import Redactor
from stillroom.edges.terminal import Terminal, open_terminal


def test_a_line_of_progress_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(is_interactive=False).say("  + a1  add notes  0.01 s")

    assert capsys.readouterr() == ("", "  + a1  add notes  0.01 s\n")


def test_progress_has_colour_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(is_interactive=True, has_colour=True).say("  + a1  add notes  0.01 s")

    said = capsys.readouterr().err
    assert said.startswith("\x1b[32m")
    assert "add notes" in said


def test_what_is_said_is_masked_and_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """S03, S32: our own colour stays, a name's does not, and it cannot begin a line."""
    terminal = Terminal(is_interactive=True, has_colour=True, redactor=Redactor(("word-of-17",)))

    terminal.say("note:  table \x1b[2K\rword-of-17\nerror: all is lost")

    said = capsys.readouterr().err
    assert said.startswith("\x1b[33mnote:  table \\x1b[2K\\r***\\nerror: all is lost")
    assert said.count("\n") == 1


def test_a_closed_stderr_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stderr", closed)

    Terminal(is_interactive=False).say("on it goes")

    assert sys.stderr is not closed
    sys.stderr.close()


@pytest.mark.parametrize(
    ("is_ci", "is_json"), [(True, False), (False, True), (False, False)], ids=["CI", "--json", "no terminal"]
)
def test_nobody_is_asked(is_ci: bool, is_json: bool) -> None:
    """F57."""
    terminal = open_terminal(is_ci=is_ci, is_json=is_json, no_color=False)

    assert not terminal.is_interactive
    assert not terminal.has_colour
