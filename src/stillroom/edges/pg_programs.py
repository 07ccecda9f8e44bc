"""Run pg_dump and pg_restore: argument lists, a time limit, everything they say is kept and judged."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stillroom.core.contents import TableRows
from stillroom.core.copy_rows import RowCounter
from stillroom.core.pg_tools import DumpOrder, Tools, dump_arguments, ignores_errors
from stillroom.core.pg_words import find_lack, unexpected_lines, without_timeout_error
from stillroom.edges.pg_process import HINT, describe, running
from stillroom.errors import ToolError

CONTENTS = "toc.dat"
ENTRY = re.compile(r"^\d+; \d+ \d+ ")


class UnreadableDumpError(ToolError):
    """pg_restore ran, and did not read the dump to its end."""


class LackError(ToolError):
    """The server or the program lacks something; the hint names what suffices."""


@contextmanager
def dumping(tools: Tools, order: DumpOrder, environment: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Run pg_dump while the block runs; the value waits for its end and judges it.

    Raises:
        ToolError: It failed, or said something on stderr that may mean missing rows.
    """
    with running(dump_arguments(tools, order), environment) as program:

        def finish() -> None:
            ended = program.wait()
            lines = unexpected_lines(ended.stderr)
            if ended.status or lines:
                lack = find_lack(ended.stderr, jobs=order.jobs, lock_slots=order.lock_slots)
                raise _failed(describe("pg_dump", ended, lines), lack, HINT)
            if not (order.folder / CONTENTS).is_file():
                raise ToolError("pg_dump (exit 0): it wrote nothing", hint=HINT)

        yield finish


def read_back(
    tools: Tools, folder: Path, environment: Mapping[str, str], *, tell: Callable[[bytes], None] = lambda _: None
) -> tuple[TableRows, ...]:
    """Read a dump in full and count its rows: the list of contents alone is accepted of every damaged dump.

    Args:
        tools: Which pg_restore.
        folder: The dump.
        environment: For it.
        tell: Given each piece that was read.

    Raises:
        UnreadableDumpError: It cannot be read to its end.
        ToolError: pg_restore cannot be run, or was ended from outside.
    """
    arguments = [str(tools.folder / "pg_restore"), "--data-only", "--file=-", "--", str(folder)]
    counter = RowCounter()

    def read(piece: bytes) -> None:
        counter.feed(piece)
        tell(piece)

    with running(arguments, environment, reads=read) as program:
        ended = program.wait()
    lines = unexpected_lines(ended.stderr)
    if ended.status or lines:
        kind = ToolError if ended.status < 0 else UnreadableDumpError
        raise kind(f"the dump could not be read back: {describe('pg_restore', ended, lines)}", hint=HINT)
    return counter.rows


def holds_event_triggers(folder: Path) -> bool:
    """Tell whether a dump may hold event triggers; its list of contents is never compressed.

    Raises:
        ToolError: The list cannot be read.
    """
    try:
        return b"EVENT TRIGGER" in (folder / CONTENTS).read_bytes()
    except OSError as error:
        raise ToolError(f"the dump's {CONTENTS} cannot be read: {error.strerror}", hint=HINT) from None


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
        left_out: Entries of the dump's list that are not restored, as `pg_restore --list` writes them behind their numbers.
    """

    folder: Path
    database: str
    jobs: int
    server_major: int
    keeps_owners: bool = True
    is_one: bool = False
    left_out: tuple[str, ...] = ()


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
    ]
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="stillroom-list-") as use_list:
        if order.left_out:
            use_list.write(_list_without(tools, order, environment))
            use_list.flush()
            arguments.append(f"--use-list={use_list.name}")
        with running([*arguments, "--", str(order.folder)], environment) as program:
            ended = program.wait()
    lines = without_timeout_error(ended.stderr) if is_lenient else unexpected_lines(ended.stderr)
    if ended.status and not (is_lenient and ended.status == 1 and not lines):
        hint = "correct that and run it again; the live database is untouched"
        raise _failed(describe("pg_restore", ended, lines), find_lack(ended.stderr, jobs=order.jobs), hint)


def _list_without(tools: Tools, order: RestoreOrder, environment: Mapping[str, str]) -> str:
    """Let pg_restore list what is in the dump, and leave out what is to be left out."""
    pieces: list[bytes] = []
    arguments = [str(tools.folder / "pg_restore"), "--list", "--", str(order.folder)]
    with running(arguments, environment, reads=pieces.append) as program:
        ended = program.wait()
    if ended.status:
        raise ToolError(describe("pg_restore", ended, unexpected_lines(ended.stderr)), hint=HINT)
    lines = b"".join(pieces).decode(errors="replace").splitlines(keepends=True)
    return "".join(each for each in lines if ENTRY.sub("", each.rstrip("\n")) not in order.left_out)


def _failed(message: str, lack: str, hint: str) -> ToolError:
    return LackError(message, hint=lack) if lack else ToolError(message, hint=hint)
