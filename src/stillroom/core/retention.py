"""Which backups stay and which may go: N verified ones and everything younger than D days, for each database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

PINNED, IN_USE, DAMAGED, UNPROVEN = "pinned", "in use", "damaged", "never verified"
SNAPSHOT, YOUNG = "a snapshot, which its own command keeps", "younger than {days} days"


@dataclass(frozen=True)
class Candidate:
    """A published backup, as far as it matters here.

    Args:
        name: Its folder's name.
        database: Whose it is: server and database; each is counted for itself.
        sequence: Counts the backups of the folder; no clock and no name decides what is newer.
        created_at: When its snapshot was taken, UTC.
        is_verified: It was proven when it was made.
        problem: What is wrong with it now; empty for a whole one.
        is_pinned: Somebody said that it stays.
        is_in_use: A restore or a verification reads it.
        is_snapshot: The rows lie elsewhere; here is only the record.
    """

    name: str
    database: str
    sequence: int
    created_at: datetime
    is_verified: bool = True
    problem: str = ""
    is_pinned: bool = False
    is_in_use: bool = False
    is_snapshot: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether a backup goes.

    Args:
        name: Which.
        goes: It is to be deleted.
        counts: It is one of the verified ones that are kept, and so must be whole.
        why: Why it stays; empty for one that goes.
    """

    name: str
    goes: bool
    counts: bool = False
    why: str = ""


def plan_retention(found: Iterable[Candidate], *, keep: int, keep_days: int, now: datetime) -> tuple[Verdict, ...]:
    """Decide what stays, newest first, database by database.

    Pinned ones stay beside those that are kept and do not count, nor do damaged ones, which are never deleted.

    Args:
        found: Every published backup of the folder.
        keep: How many verified ones of each database stay; at least one always does.
        keep_days: What is younger stays too; what is dated in the future is young.
        now: In UTC.
    """
    by_database: dict[str, list[Candidate]] = defaultdict(list)
    for each in sorted(found, key=lambda each: (each.sequence, each.created_at, each.name), reverse=True):
        by_database[each.database].append(each)
    young_after = now - timedelta(days=keep_days)
    return tuple(
        verdict
        for database in sorted(by_database)
        for verdict in _plan_one(by_database[database], max(keep, 1), keep_days, young_after)
    )


def _plan_one(newest_first: list[Candidate], keep: int, keep_days: int, young_after: datetime) -> Iterable[Verdict]:
    left = keep
    for each in newest_first:
        why = _why_beside(each)
        if why:
            yield Verdict(each.name, goes=False, why=why)
        elif left:
            left -= 1
            why = f"one of the {keep} newest" if keep > 1 else "the newest"
            yield Verdict(each.name, goes=False, counts=True, why=why)
        elif each.created_at > young_after:
            yield Verdict(each.name, goes=False, why=YOUNG.format(days=keep_days))
        elif each.is_in_use:
            yield Verdict(each.name, goes=False, why=IN_USE)
        else:
            yield Verdict(each.name, goes=True)


def _why_beside(each: Candidate) -> str:
    """Say why a backup stays without being counted; empty for an ordinary one."""
    if each.problem:
        return each.problem
    if not each.is_verified:
        return UNPROVEN
    if each.is_pinned:
        return PINNED
    return SNAPSHOT if each.is_snapshot else ""
