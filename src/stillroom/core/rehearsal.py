"""What a rehearsal has measured: the pending revisions, run on a copy of the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stillroom.core.locks.modes import BLOCKS, STRENGTH

SLOWEST = 20
SAME, DIFFERS, FAILED = "same", "differs", "failed"


@dataclass(frozen=True)
class SentStatement:
    """One statement.

    Args:
        text: In one line, its literals hidden.
        seconds: Until the server had answered.
        rows: How many it says it touched or returned; None where it does not say.
    """

    text: str
    seconds: float
    rows: int | None


@dataclass(frozen=True)
class HeldLock:
    """The strongest lock of one table.

    Args:
        table: With its schema.
        mode: PostgreSQL's name of it, as "ACCESS EXCLUSIVE".
        seconds: From the begin of the statement that took it to the end of its transaction.
        is_sampled: Seen from beside while a statement ran outside of a transaction; what was shorter than that was missed.
    """

    table: str
    mode: str
    seconds: float
    is_sampled: bool = False

    @property
    def blocks(self) -> str:
        """Whom it keeps out, in words."""
        return BLOCKS.get(self.mode, "")


@dataclass(frozen=True)
class Rewrite:
    """A table that was written anew as a whole, and its size afterwards in bytes."""

    table: str
    size_bytes: int


@dataclass(frozen=True)
class TouchedRows:
    """How many rows of a table were changed, triggers and cascades included."""

    table: str
    inserted: int
    updated: int
    deleted: int

    @property
    def count(self) -> int:
        """All of them."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True)
class RehearsedStep:
    """What one revision costs.

    Args:
        revision: Its id.
        message: Its first line.
        seconds: From its begin to its commit, without the measuring.
        statement_count: How many statements it sent.
        statements: The slowest of them, the slowest first.
        locks: Of tables that were there before, the strongest of each, longest held first.
        rewrites: Tables that were there before and were written anew.
        rows: Changed rows by table, those of autocommit blocks left out.
        temp_bytes: Written to temporary files.
        wal_bytes: Written to the write-ahead log; on a server that others use, theirs is in it.
    """

    revision: str
    message: str
    seconds: float
    statement_count: int = 0
    statements: tuple[SentStatement, ...] = ()
    locks: tuple[HeldLock, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    rows: tuple[TouchedRows, ...] = ()
    temp_bytes: int = 0
    wal_bytes: int = 0


@dataclass(frozen=True)
class WayBack:
    """What the downgrades did.

    Args:
        outcome: "same": the schema is as before; "differs"; "failed".
        seconds: How long they took.
        detail: Why they failed, or the second upgrade did where the schema differs.
        differences: In what the schema differs from the one before.
        again_s: How long the second upgrade took, in seconds; None where there was none.
    """

    outcome: str
    seconds: float = 0.0
    detail: str = ""
    differences: tuple[str, ...] = ()
    again_s: float | None = None


@dataclass(frozen=True)
class Rehearsal:
    """A plan that works on the copy, and what it costs there.

    Args:
        where: The copy, in words.
        is_shared: Others use its server, so that WAL is "at most".
        rows: In the copy's tables before.
        is_estimated: That number is the planner's for some table.
        steps: In the order they ran.
        back: What the downgrades did.
        not_validated: Constraints that were left NOT VALID.
        invalid_indexes: Indexes that were left invalid.
        cluster_wide: Effects past the database, where they were let happen.
        seconds: All together.
        new_roles: That came into being on the server meanwhile, and that no transaction of the steps made.
    """

    where: str
    is_shared: bool
    rows: int
    is_estimated: bool
    steps: tuple[RehearsedStep, ...]
    back: WayBack
    not_validated: tuple[str, ...]
    invalid_indexes: tuple[str, ...]
    cluster_wide: tuple[str, ...]
    seconds: float
    new_roles: tuple[str, ...] = ()

    @property
    def longest_lock(self) -> HeldLock | None:
        """The lock that keeps others out longest, those that keep out no reader or writer last."""
        locks = [each for step in self.steps for each in step.locks]
        return max(locks, key=lambda each: (keeps_out(each), each.seconds), default=None)

    def predicted_s(self, revision: str) -> float | None:
        """Say how long a revision took here, in seconds."""
        return next((each.seconds for each in self.steps if each.revision == revision), None)


def keeps_out(lock: HeldLock) -> bool:
    """Tell a lock that stops the traffic from one that stops schema changes only."""
    return STRENGTH.get(lock.mode, 0) >= STRENGTH["SHARE"]


def mode_of(name: str) -> str:
    """Write the mode as SQL does: `AccessExclusiveLock` is ACCESS EXCLUSIVE."""
    words = "".join(f" {each}" if each.isupper() else each for each in name.removesuffix("Lock"))
    return words.strip().upper()


def strongest_of_each(locks: Iterable[HeldLock]) -> tuple[HeldLock, ...]:
    """Keep the strongest lock of each table, of equal ones the one held longest; longest held first."""
    found: dict[str, HeldLock] = {}
    for each in locks:
        before = found.get(each.table)
        if before is None or _rank(each) > _rank(before):
            found[each.table] = each
    return tuple(sorted(found.values(), key=lambda each: (-each.seconds, each.table)))


def _rank(lock: HeldLock) -> tuple[int, float]:
    return STRENGTH.get(lock.mode, 0), lock.seconds


def add_rows(rows: Iterable[TouchedRows]) -> tuple[TouchedRows, ...]:
    """Put the numbers of each table together, most first."""
    found: dict[str, TouchedRows] = {}
    for each in rows:
        one = found.get(each.table, TouchedRows(each.table, 0, 0, 0))
        found[each.table] = TouchedRows(
            each.table, one.inserted + each.inserted, one.updated + each.updated, one.deleted + each.deleted
        )
    return tuple(sorted(found.values(), key=lambda each: (-each.count, each.table)))


def slowest(statements: Iterable[SentStatement]) -> tuple[SentStatement, ...]:
    """Keep the slowest ones, the slowest first."""
    return tuple(sorted(statements, key=lambda each: -each.seconds)[:SLOWEST])
