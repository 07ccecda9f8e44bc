"""A command of the project's own: no shell, a bounded time, an allow-list for its environment, and one line of what it said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from stillroom.edges.own_command import run_command
from tests.commands.support import until

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def test_it_gets_its_words_as_they_are(tmp_path: Path) -> None:
    ran = run_command(("printf", "%s|", "a b", "$HOME", ";"), environment=ENVIRONMENT, folder=tmp_path)

    assert (ran.status, ran.stdout, ran.problem) == (0, "a b|$HOME|;|", "")


def test_it_runs_in_the_folder_with_nothing_but_its_environment(tmp_path: Path) -> None:
    script = tmp_path / "bin" / "show"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\npwd; env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD=; cat\n")
    script.chmod(0o755)

    ran = run_command(("bin/show",), environment={**ENVIRONMENT, "AWS_REGION": "x"}, folder=tmp_path)

    assert sorted(ran.stdout.splitlines()) == sorted([str(tmp_path), "AWS_REGION=x", "PATH=/usr/bin:/bin"])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "sh (exit 3): err"),
        (("sh", "-c", "echo out; exit 3"), 3, "sh (exit 3): out"),
        (("sh", "-c", "kill -9 $$"), -9, "sh was ended by SIGKILL: it said nothing"),
        (("no-such-program",), 127, "no-such-program is not found on PATH"),
        (("/etc/passwd",), 127, "/etc/passwd cannot be run: Permission denied"),
        (("true", "a\0b"), 127, "true cannot be run: embedded null byte"),
    ],
)
def test_what_went_wrong_is_one_line(tmp_path: Path, words: tuple[str, ...], status: int, said: str) -> None:
    ran = run_command(words, environment=ENVIRONMENT, folder=tmp_path)

    assert (ran.status, ran.problem) == (status, said)


def test_a_program_in_a_relative_part_of_path_is_not_run(tmp_path: Path) -> None:
    """S15."""
    planted = tmp_path / "planted"
    planted.write_text("#!/bin/sh\ntouch ran\n")
    planted.chmod(0o755)

    ran = run_command(("planted",), environment={"PATH": ".:/usr/bin:/bin"}, folder=tmp_path)

    assert ran.status == 127
    assert not (tmp_path / "ran").exists()


def test_one_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    started = time.monotonic()

    ran = run_command(
        ("sh", "-c", "trap '' TERM; sleep 600 & echo $! > pid; wait; sleep 600"),
        environment=ENVIRONMENT, folder=tmp_path, limit_s=1.2,
    )  # fmt: skip

    assert ran.problem == "sh did not end within 1 s"
    assert time.monotonic() - started < 8
    until(lambda: not Path("/proc", (tmp_path / "pid").read_text().strip()).exists())


def test_much_output_is_no_harm(tmp_path: Path) -> None:
    ran = run_command(("sh", "-c", "yes | head -c 5000000; echo last"), environment=ENVIRONMENT, folder=tmp_path)

    assert len(ran.stdout) <= 64 * 1024
    assert ran.stdout.endswith("\nlast\n")
