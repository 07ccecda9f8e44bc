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


def test_progress_is_taken_away_before_anything_else_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """S03: masked as everything is, and no name moves the cursor."""
    terminal = Terminal(is_interactive=False, redactor=Redactor(("word-of-17",)), is_watched=True)

    terminal.show_progress("dumping  word-of-17.a\x1b[2K")
    terminal.show_progress("dumping  b")
    terminal.say("done")
    terminal.say("and left")

    first, second = "dumping  ***.a\\x1b[2K", "dumping  b"
    gone = [f"\r{' ' * (len(each) + 2)}\r" for each in (first, second)]
    assert capsys.readouterr().err == f"{first}{gone[0]}{second}{gone[1]}done\nand left\n"


def test_progress_is_cut_to_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for letter in "x表":
        Terminal(is_interactive=False, is_watched=True).show_progress(letter * 500)

    assert capsys.readouterr().err == "x" * 77 + "表" * 38


def test_nobody_who_does_not_watch_gets_progress(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal(is_interactive=True).show_progress("dumping  a")

    assert capsys.readouterr().err == ""
