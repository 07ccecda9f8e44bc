"""Run pg_dump and pg_restore: argument lists, a time limit, everything they say is kept and judged."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stillroom.core.pg_tools import DumpOrder, Tools, dump_arguments, ignores_errors
from stillroom.core.pg_words import unexpected_lines, without_timeout_error
from stillroom.errors import ToolError

LIMIT_S = 24 * 3600.0  # a dump of many terabytes; without any, one that hangs would hold the migration lock for ever
PATIENCE_S = 3.0  # from the friendly signal to the one that cannot be ignored
CONTENTS = "toc.dat"
HINT = "correct that and run it again; nothing was kept, older backups are untouched"


@dataclass(frozen=True)
class Ended:
    """A program that has ended: its exit status (negative for a signal) and what it wrote to stderr."""

    status: int
    stderr: str


@contextmanager
def dumping(tools: Tools, order: DumpOrder, environment: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Run pg_dump while the block runs; the value waits for its end and judges it.

    Raises:
        ToolError: It failed, or said something on stderr that may mean missing rows.
    """
    with _running(dump_arguments(tools, order), environment) as wait:

        def finish() -> None:
            ended = wait()
            lines = unexpected_lines(ended.stderr)
            if ended.status or lines:
                raise ToolError(_describe("pg_dump", ended, lines), hint=HINT)
            if not (order.folder / CONTENTS).is_file():
                raise ToolError("pg_dump (exit 0): it wrote nothing", hint=HINT)

        yield finish


def read_back(tools: Tools, folder: Path, environment: Mapping[str, str]) -> None:
    """Read a dump in full, to nowhere: the list of contents alone is accepted of every damaged dump.

    Raises:
        ToolError: It cannot be read to its end.
    """
    arguments = [str(tools.folder / "pg_restore"), f"--file={os.devnull}", "--", str(folder)]
    with _running(arguments, environment) as wait:
        ended = wait()
    lines = unexpected_lines(ended.stderr)
    if ended.status or lines:
        raise ToolError(f"the dump could not be read back: {_describe('pg_restore', ended, lines)}", hint=HINT)


@dataclass(frozen=True)
class RestoreOrder:
    """What pg_restore is asked for.

    Args:
        folder: The dump.
        database: The new database.
        jobs: Tables at a time.
        server_major: What it is restored into.
        keeps_owners: Set owners and grants as they were.
        is_one: In one transaction, so that nothing is left in a database that was there before.
    """

    folder: Path
    database: str
    jobs: int
    server_major: int
    keeps_owners: bool = True
    is_one: bool = False


def restore(tools: Tools, order: RestoreOrder, environment: Mapping[str, str]) -> None:
    """Restore a dump into a new database.

    Raises:
        ToolError: pg_restore failed; the message holds its first complaint.
    """
    is_lenient = ignores_errors(tools, order.server_major)
    arguments = [
        str(tools.folder / "pg_restore"),
        f"--dbname={order.database}",
        *(["--single-transaction"] if order.is_one and not is_lenient else [f"--jobs={order.jobs}"]),
        "--no-password",
        *([] if is_lenient else ["--exit-on-error"]),
        *([] if order.keeps_owners else ["--no-owner", "--no-privileges"]),
        "--",
        str(order.folder),
    ]
    with _running(arguments, environment) as wait:
        ended = wait()
    lines = without_timeout_error(ended.stderr) if is_lenient else unexpected_lines(ended.stderr)
    if ended.status and not (is_lenient and ended.status == 1 and not lines):
        hint = "correct that and run it again; the live database is untouched"
        raise ToolError(_describe("pg_restore", ended, lines), hint=hint)


@contextmanager
def _running(arguments: list[str], environment: Mapping[str, str]) -> Iterator[Callable[[], Ended]]:
    """Start a program; it is ended when the block is left before it has ended."""
    with tempfile.TemporaryFile() as stderr:
        try:
            process = subprocess.Popen(
                arguments, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr,
                umask=0o077,
            )  # fmt: skip
        except OSError as error:
            raise ToolError(f"{arguments[0]} cannot be run: {error.strerror}", hint=HINT) from None

        def wait() -> Ended:
            try:
                process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                raise ToolError(f"{arguments[0]} did not end within {LIMIT_S / 3600:.0f} h", hint=HINT) from None
            stderr.seek(0)
            return Ended(process.returncode, stderr.read().decode(errors="replace"))

        try:
            yield wait
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _describe(program: str, ended: Ended, lines: tuple[str, ...]) -> str:
    """Say in one line what the program complained about first."""
    said = next((line for line in lines if "error: " in line), lines[0] if lines else "it said nothing")
    said = said.removeprefix(f"{program}: ").removeprefix("error: ")
    if ended.status < 0:
        return f"{program} was ended by {signal.Signals(-ended.status).name}"
    return f"{program} (exit {ended.status}): {said}"
