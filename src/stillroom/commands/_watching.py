"""Show a person at a terminal how far a backup or a restore is; where nobody looks, nothing is asked and nothing is said.

The lines come from a thread that ends with its block. Whatever goes wrong in it, the work goes on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.copying import can_spare_connection, read_copies, read_size
from stillroom.report._progress import copying, counting, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.edges.child_body import Voice

Lines = Callable[[], Generator[str, None, None]]
EVERY_S = 0.5  # also until the first look: what is over sooner is worth no connection
ENDS_WITHIN_S = 2.0
DUMPING, RESTORING = "dumping", "restoring"


@contextmanager
def watching(say: Voice, lines: Lines) -> Iterator[None]:
    """Show lines one after another while the block runs; blank ones leave what is there.

    Args:
        say: Takes them; nothing is done where nobody looks.
        lines: Called in a thread; each line is asked for when it can be shown.
    """
    if not say.is_watched:
        yield
        return
    is_over = threading.Event()

    def show() -> None:
        with suppress(Exception), closing(lines()) as found:
            while not is_over.wait(EVERY_S):
                line = next(found)
                if line and not is_over.is_set():
                    say.shows(line)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(ENDS_WITHIN_S)
        say.shows("")


@dataclass
class Reading:
    """Which table is read now; told by who reads."""

    verb: str
    total: int
    table: str = ""
    number: int = 0

    def __call__(self, table: str) -> None:
        """Go on to a table."""
        self.table, self.number = table, self.number + 1

    @property
    def line(self) -> str:
        """Say it; empty before the first."""
        return counting(self.verb, self.table, self.number, self.total) if self.table else ""

    def lines(self) -> Generator[str, None, None]:
        """Say it again and again."""
        while True:
            yield self.line


@dataclass(frozen=True)
class Said:
    """Something of which nothing more can be said."""

    line: str

    def lines(self) -> Generator[str, None, None]:
        """Say it again and again."""
        while True:
            yield self.line


@dataclass
class Amount:
    """How many bytes went by; told by who reads them."""

    verb: str
    size_bytes: int = 0

    def __call__(self, piece: bytes) -> None:
        """Count a piece."""
        self.size_bytes += len(piece)

    def lines(self) -> Generator[str, None, None]:
        """Say it again and again."""
        while True:
            yield written(self.verb, self.size_bytes)


def dump_lines(work: Work, say: Voice, held: Connection, oids: Sequence[int], folder: Path, reading: Reading) -> Lines:
    """Make what says how far pg_dump is: the server knows the tables, the folder the bytes.

    Args:
        work: Names the server.
        say: Whether anybody looks.
        held: In the transaction that holds the tables.
        oids: Of the tables whose rows are dumped.
        folder: What pg_dump writes.
        reading: What is counted beside it, for the time when pg_dump has ended.

    Raises:
        DatabaseError: The server failed.
    """
    if not say.is_watched:
        return reading.lines
    if not can_spare_connection(held):
        return lambda: _folder_lines(folder)
    total = read_size(held, oids)
    return lambda: _copy_lines(work, DUMPING, "", total, reading)


def restore_lines(work: Work, say: Voice, admin: Connection, database: str) -> Lines:
    """Make what says how far pg_restore is.

    Raises:
        DatabaseError: The server failed.
    """
    if not say.is_watched or not can_spare_connection(admin):
        return Said("").lines
    return lambda: _copy_lines(work, RESTORING, database, 0, Reading("", 0))


def _copy_lines(work: Work, verb: str, database: str, total_bytes: int, reading: Reading) -> Generator[str, None, None]:
    """Ask the server; a table that has been copied keeps what was seen of it last."""
    most: dict[tuple[int, str], int] = {}
    with closing(connect(work.target.url, command=work.command, database=database, place_within_s=0)) as connection:
        while True:
            copies = read_copies(connection, f"stillroom {work.command}")
            most |= {(each.pid, each.table): each.size_bytes for each in copies}
            tables = (each.table for each in copies)
            yield copying(verb, tables, sum(most.values()), total_bytes) if copies else reading.line


def _folder_lines(folder: Path) -> Generator[str, None, None]:
    while True:
        try:
            size_bytes = sum(each.stat().st_size for each in os.scandir(folder))
        except FileNotFoundError:
            yield ""  # pg_dump makes it when it knows what there is
        else:
            yield written(DUMPING, size_bytes)
