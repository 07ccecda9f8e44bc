"""Real programs as editors."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from stillroom.edges.editor import resolve_editor, run_editor
from stillroom.edges.git import add_command, find_editor
from stillroom.errors import ToolError

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def _script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    path = tmp_path / "draft.py"
    path.write_text("before\n")
    return path


def test_arguments_of_the_editor_are_honoured(tmp_path: Path, draft: Path) -> None:
    """F59."""
    program = _script(tmp_path / "my editor" / "ed", 'printf "%s|" "$@" > "$3"')

    command = resolve_editor(f"'{program}' -n 'two words'", ENVIRONMENT)
    edited = run_editor(command, draft, ENVIRONMENT)

    assert edited.status == 0
    assert draft.read_text() == f"-n|two words|{draft}|"


def test_a_path_with_blanks_needs_no_quotes(tmp_path: Path) -> None:
    """F59."""
    program = _script(tmp_path / "my editor" / "ed", "exit 0")

    assert resolve_editor(str(program), ENVIRONMENT) == [str(program)]


@pytest.mark.parametrize("text", ["no-such-editor", "true; touch y", "'open", "$(true)"])
def test_an_unknown_program_is_refused_and_nothing_runs(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F59, S12, S14."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ToolError, match="editor"):
        resolve_editor(text, ENVIRONMENT)

    assert list(tmp_path.iterdir()) == []


def test_the_exit_code_of_the_editor_is_told(tmp_path: Path, draft: Path) -> None:
    """F59."""
    edited = run_editor([str(_script(tmp_path / "ed", "exit 3"))], draft, ENVIRONMENT)

    assert (edited.status, edited.is_interrupted) == (3, False)


def test_ctrl_c_belongs_to_an_editor_that_goes_on(tmp_path: Path, draft: Path) -> None:
    editor = _script(tmp_path / "ed", "sleep 1")
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    edited = run_editor([str(editor)], draft, ENVIRONMENT)

    assert (edited.status, edited.is_interrupted) == (0, False)


def test_a_closed_terminal_ends_the_editor(tmp_path: Path, draft: Path) -> None:
    """F58."""
    editor = _script(tmp_path / "ed", "exec sleep 30")
    started = time.monotonic()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGHUP)).start()

    edited = run_editor([str(editor)], draft, ENVIRONMENT)

    assert edited.is_interrupted
    assert time.monotonic() - started < 20


def test_gits_editor_is_used_only_when_somebody_configured_one(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, env=environment)

    assert find_editor(tmp_path, environment) is None

    subprocess.run(["git", "-C", str(tmp_path), "config", "core.editor", "nano -w"], check=True, env=environment)
    assert find_editor(tmp_path, environment) == "nano -w"
    assert find_editor(tmp_path, {**environment, "GIT_EDITOR": "ed -s"}) == "ed -s"
    assert find_editor(tmp_path, {"PATH": str(tmp_path)}) is None


def test_the_add_command_is_quoted_and_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert add_command(tmp_path / "a b" / "c.py") == "git add 'a b/c.py'"
    assert add_command(tmp_path / "-x.py") == "git add ./-x.py"
