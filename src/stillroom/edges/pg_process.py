"""One outside program, from its start to its end: no shell, a time limit, and nothing left running."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from stillroom.edges.interrupt import postponed
from stillroom.edges.started import PATIENCE_S, known
from stillroom.errors import ToolError

LIMIT_S = 24 * 3600.0  # a dump of many terabytes; without any, one that hangs would hold the migration lock for ever
PIECE_BYTES = 1024 * 1024
HINT = "correct that and run it again; nothing was kept, older backups are untouched"


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its exit status (negative for a signal) and what it wrote to stderr."""

    status: int
    stderr: str


@dataclass(frozen=True)
class Running:
    """A program that runs.

    Args:
        program: Its path.
        process: It.
        stderr: The file that takes what it says.
        reads: Gets what it writes to stdout, piece by piece; None throws that away.
        end_by: When the patience ends, on the monotonic clock.
    """

    program: str
    process: subprocess.Popen[bytes]
    stderr: IO[bytes]
    reads: Callable[[bytes], None] | None
    end_by: float

    def wait(self) -> Ended:
        """Wait for the end.

        Raises:
            ToolError: It did not come in time.
        """
        if self.reads and self.process.stdout:
            while piece := self._read(self.process.stdout.fileno()):
                self.reads(piece)
        try:
            self.process.wait(max(self.end_by - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            raise self._too_long() from None
        self.stderr.seek(0)
        return Ended(self.process.returncode, self.stderr.read().decode(errors="replace"))

    def _read(self, descriptor: int) -> bytes:
        ready, _, _ = select.select([descriptor], [], [], max(self.end_by - time.monotonic(), 0))
        if not ready:
            raise self._too_long()
        return os.read(descriptor, PIECE_BYTES)

    def _too_long(self) -> ToolError:
        return ToolError(f"{self.program} did not end within {LIMIT_S / 3600:.0f} h", hint=HINT)


@contextmanager
def running(
    arguments: list[str], environment: Mapping[str, str], *, reads: Callable[[bytes], None] | None = None
) -> Iterator[Running]:
    """Start a program; it is ended when the block is left before it has ended.

    Raises:
        ToolError: It cannot be run.
    """
    process = None
    with tempfile.TemporaryFile() as stderr:
        try:
            with postponed():
                process = _start(arguments, environment, stderr, reads=reads is not None)
            with known(process):
                try:
                    yield Running(arguments[0], process, stderr, reads, time.monotonic() + LIMIT_S)
                finally:
                    _end(process)
        finally:
            if process is not None:
                _end(process)


def _start(
    arguments: list[str], environment: Mapping[str, str], stderr: IO[bytes], *, reads: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            arguments,
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if reads else subprocess.DEVNULL,
            stderr=stderr,
            umask=0o077,
            process_group=0,
            pipesize=PIECE_BYTES if reads else -1,
        )
    except OSError as error:
        raise ToolError(f"{arguments[0]} cannot be run: {error.strerror}", hint=HINT) from None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started: what lies in the folder of the programs may be a script."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        _signal(process, signal.SIGKILL)
        process.wait()
    if process.stdout:
        process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def describe(program: str, ended: Ended, lines: tuple[str, ...]) -> str:
    """Say in one line what the program complained about first."""
    said = next((line for line in lines if "error: " in line), lines[0] if lines else "it said nothing")
    said = said.removeprefix(f"{program}: ").removeprefix("error: ")
    if ended.status < 0:
        return f"{program} was ended by {signal.Signals(-ended.status).name}"
    return f"{program} (exit {ended.status}): {said}"
