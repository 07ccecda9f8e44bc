"""What the steps of a run cost, seen through the events of the engine and in the transactions of the steps themselves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg2.extensions import TRANSACTION_STATUS_INERROR

from stillroom.core.rehearsal import (
    HeldLock,
    RehearsedStep,
    Rewrite,
    SentStatement,
    TouchedRows,
    add_rows,
    mode_of,
    slowest,
    strongest_of_each,
)
from stillroom.core.sent_sql import hide_values
from stillroom.edges.postgres.measuring import (
    Table,
    Used,
    find_rewritten,
    let_count,
    read_known,
    read_locks,
    read_rows,
    read_used,
    rows_since,
)
from stillroom.edges.postgres.new_roles import read_roles
from stillroom.edges.postgres.sampling import Sampler

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

LENGTH = 120
STRONGEST = "AccessExclusiveLock"
WEAK = {"AccessShareLock", "RowShareLock"}  # readers' own


@dataclass
class Measuring:
    """The measurements of one run.

    Args:
        beside: A connection to the same database, in autocommit, that nobody else uses.
        pid: The server process that runs the steps.
        version_table: Left out, without its schema.
        made_roles: Takes the roles that the steps make in their transactions, whoever else makes some meanwhile.
    """

    beside: PsycopgConnection
    pid: int
    version_table: str
    done: list[RehearsedStep] = field(default_factory=list)
    failed_statement: str = ""
    made_roles: set[str] = field(default_factory=set)
    _statement: str = ""
    _began: float = 0.0
    _spent: float = 0.0
    _count: int = 0
    _sent: list[SentStatement] = field(default_factory=list)
    _locks: list[HeldLock] = field(default_factory=list)
    _taken: dict[tuple[int, str], float] = field(default_factory=dict)
    _rewrites: list[Rewrite] = field(default_factory=list)
    _rows: list[TouchedRows] = field(default_factory=list)
    _rows_before: dict[str, TouchedRows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._sampler = Sampler(self.beside, self.pid)
        self._tables = self._read_known()
        self._there_before = frozenset(self._tables)
        self._used_before = Used(0, 0)

    def step_starts(self) -> None:
        """Forget the step before, or the try before."""
        self._sampler.end()
        # Only those that were there before the run: nobody else uses what it has made itself.
        self._tables = {oid: each for oid, each in self._read_known().items() if oid in self._there_before}
        self._count, self._spent = 0, 0.0
        self._sent, self._locks, self._taken = [], [], {}
        self._rewrites, self._rows, self._rows_before = [], [], {}
        self._used_before = read_used(self.beside)

    def transaction_began(self, raw: PsycopgConnection) -> None:
        """Close the locks of the transaction before, and take the first reading of this one."""
        self._close()
        self._began = time.monotonic()
        if not raw.autocommit:
            with self._measuring(), raw.cursor() as cursor:
                self._rows_before = read_rows(cursor)

    def statement_begins(self, raw: PsycopgConnection, statement: str) -> None:
        """Note the time; a statement outside of a transaction is looked at from beside."""
        self._statement = statement.replace("%%", "%")  # doubled for the driver
        if raw.autocommit:
            self._sampler.begin()
        self._began = time.monotonic()

    def statement_ended(self, raw: PsycopgConnection, rows: int) -> None:
        """Note how long it took, and what the transaction holds now."""
        seconds = time.monotonic() - self._began
        with self._measuring():
            shown = hide_values(self._statement, length=LENGTH)
            self._count += 1
            self._sent = [*slowest([*self._sent, SentStatement(shown, seconds, rows if rows >= 0 else None)])]
            if raw.autocommit:
                self._take_samples(raw)
            else:
                self._look(raw)

    def statement_failed(self) -> None:
        """Keep the statement: it says what was to be."""
        self._sampler.end()
        self.failed_statement = self.failed_statement or self._statement

    def transaction_ends(self, raw: PsycopgConnection) -> None:
        """Take the last reading before the commit."""
        if raw.autocommit or raw.info.transaction_status == TRANSACTION_STATUS_INERROR:
            return
        with self._measuring():
            self._look(raw)
            with raw.cursor() as cursor:
                self._rows += rows_since(self._rows_before, read_rows(cursor))
                let_count(cursor, raw.info.server_version)
            # In this order: what another session has committed in between is seen from beside, too.
            seen = read_roles(raw)
            self.made_roles |= seen - read_roles(self.beside)

    def step_committed(self, revision: str, message: str, seconds: float) -> None:
        """Put the step's numbers together."""
        self._close()
        used = read_used(self.beside).since(self._used_before)
        self.done.append(
            RehearsedStep(
                revision,
                message,
                max(seconds - self._spent, 0.0),
                self._count,
                tuple(self._sent),
                strongest_of_each(self._locks),
                tuple(self._rewrites),
                add_rows(self._rows),
                used.temp_bytes,
                used.wal_bytes,
            )
        )

    def _read_known(self) -> dict[int, Table]:
        with self.beside.cursor() as cursor:
            return read_known(cursor, self.version_table)

    def _look(self, raw: PsycopgConnection) -> None:
        with raw.cursor() as cursor:
            found = [(oid, mode) for oid, mode in read_locks(cursor, self.pid) if oid in self._tables]
            for key in found:
                self._taken.setdefault(key, self._began)
            exclusive = [oid for oid, mode in found if mode == STRONGEST]
            self._rewrites += find_rewritten(cursor, self._tables, exclusive)

    def _take_samples(self, raw: PsycopgConnection) -> None:
        for (oid, mode), seconds in self._sampler.end().items():
            if oid in self._tables and mode not in WEAK:
                self._locks.append(HeldLock(self._tables[oid].name, mode_of(mode), seconds, is_sampled=True))
        with raw.cursor() as cursor:
            self._rewrites += find_rewritten(cursor, self._tables, self._tables)

    def _close(self) -> None:
        """Count the locks of the transaction until now: it has ended."""
        now = time.monotonic()
        for (oid, mode), began in self._taken.items():
            if mode not in WEAK:
                self._locks.append(HeldLock(self._tables[oid].name, mode_of(mode), now - began))
        self._taken = {}

    @contextmanager
    def _measuring(self) -> Iterator[Any]:
        """Count the time of the block as ours."""
        started = time.monotonic()
        try:
            yield
        finally:
            self._spent += time.monotonic() - started
