"""Run a command that the project named: no shell, a time limit, and all that it started ends with us."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from stillroom.core.own_commands import last_line, mask_values
from stillroom.edges.interrupt import postponed
from stillroom.edges.pg_process import LIMIT_S
from stillroom.edges.programs import find_program
from stillroom.edges.started import PATIENCE_S, known

SAID_MOST_BYTES = 64 * 1024
NOT_FOUND = 127


@dataclass(frozen=True)
class Ran:
    """A command that has ended.

    Args:
        program: Its name, as it was given.
        status: Its exit code; negative for a signal, 127 where it cannot be run.
        stdout: The end of what it wrote there.
        problem: Why it failed, in words; empty when it did not.
    """

    program: str
    status: int
    stdout: str
    problem: str


def run_command(
    words: tuple[str, ...], *, environment: Mapping[str, str], folder: Path, limit_s: float = LIMIT_S
) -> Ran:
    """Run it to its end.

    Args:
        words: Program and arguments; a relative path is one below the folder.
        environment: All that it gets.
        folder: Where it runs.
        limit_s: After that many seconds it is ended, and has failed.
    """
    name = words[0]
    program = str(folder / name) if "/" in name else find_program(name, environment)
    if program is None:
        return Ran(name, NOT_FOUND, "", f"{name} is not found on PATH")
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        process = None
        try:
            with postponed():
                process = subprocess.Popen(
                    [program, *words[1:]],
                    env=environment,
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    umask=0o077,
                    start_new_session=True,
                )
            with known(process):
                try:
                    process.wait(limit_s)
                finally:
                    _end(process)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return Ran(name, NOT_FOUND, "", f"{name} cannot be run: {reason}")
        except subprocess.TimeoutExpired:
            return Ran(name, -signal.SIGTERM, "", f"{name} did not end within {limit_s:.0f} s")
        finally:
            if process is not None:
                _end(process)
        said, complaint = _end_of(stdout), _end_of(stderr)
    problem = "" if process.returncode == 0 else _describe(name, process.returncode, last_line(complaint, said))
    return Ran(name, process.returncode, said, mask_values(problem, environment))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started, unless it has ended by itself."""
    if process.poll() is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
            return


def _end_of(stream: IO[bytes]) -> str:
    stream.seek(max(stream.seek(0, os.SEEK_END) - SAID_MOST_BYTES, 0))
    return stream.read().decode(errors="replace")


def _describe(name: str, status: int, said: str) -> str:
    ended = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"(exit {status})"
    return f"{name} {ended}: {said}"
