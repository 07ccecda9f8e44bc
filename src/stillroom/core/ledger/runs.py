"""Rows of the ledger put together to runs, and where they say that the database stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from stillroom.core.ledger.entries import Row

MOVES = ("run", "stamp", "reset", "restore", "settlement")
"""The kinds of rows after which the version table holds something that the ledger knows."""


@dataclass(frozen=True)
class Step:
    """One revision of a run: its id, how it ended, and how long it took; kind tells a step from what was only entered."""

    kind: str
    revision: str
    direction: str
    outcome: str
    seconds: float
    sqlstate: str


@dataclass(frozen=True)
class Run:
    """One run.

    Args:
        id: Names it.
        command: The task.
        outcome: How it ended; "cut short" where it never said so: it was killed, or runs still.
        started_at: UTC.
        seconds: How long it took; None where that is not known.
        by: Who, as "ada on laptop".
        role: The database's.
        commit: Of git; empty outside.
        is_dirty: Tracked files were changed since.
        application: The project's version.
        stillroom: The version of stillroom.
        backup: The backup that was made before.
        reason: Why somebody accepted or settled something.
        sqlstate: Of the error that ended it.
        before: What the version table held.
        after: What it held afterwards.
        steps: The revisions.
        reset: How the schema was emptied before: "by reset-dev", or "emptied by hand"; empty where it was not.
    """

    id: str
    command: str
    outcome: str
    started_at: datetime
    seconds: float | None
    by: str
    role: str
    commit: str
    is_dirty: bool
    application: str
    stillroom: str
    backup: str
    reason: str
    sqlstate: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    steps: tuple[Step, ...]
    reset: str = ""


def runs_of(rows: Iterable[Row]) -> tuple[Run, ...]:
    """Put the rows of each run together, in the order in which they began."""
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.entry.facts.run, []).append(row)
    return tuple(map(_run, grouped.values()))


def _run(rows: list[Row]) -> Run:
    first, last = rows[0].entry, rows[-1].entry
    ends = [row.entry for row in rows if row.entry.kind != "step" and row.entry.outcome != "started"]
    end = ends[-1] if ends else None
    steps = tuple(
        Step(each.kind, each.revision, each.direction, each.outcome, each.seconds, each.sqlstate)
        for each in (row.entry for row in rows)
        if each.kind != "run" and each.revision
    )
    facts = first.facts
    return Run(
        facts.run, facts.command, end.outcome if end else "cut short", first.started_at, end.seconds if end else None,
        f"{facts.actor} on {facts.host}", rows[0].role, facts.commit, facts.is_dirty, facts.application, facts.stillroom,
        last.backup or first.backup, end.reason if end else "", end.sqlstate if end else "", first.before,
        end.after if end else first.before, steps,
        next((each.entry.reason or "by reset-dev" for each in rows if each.entry.kind == "reset"), ""),
    )  # fmt: skip


def find_place(rows: Iterable[Row]) -> tuple[str, ...] | None:
    """Tell what the version table should hold; None where no row says so, or the last run was cut short."""
    place: tuple[str, ...] | None = None
    for row in rows:
        if row.entry.kind in MOVES:
            place = None if row.entry.outcome == "started" else row.entry.after
    return place


def find_changed(rows: Iterable[Row]) -> tuple[int, ...]:
    """Name the rows that were changed, and those before which one is missing."""
    found, previous = [], ""
    for row in rows:
        if not row.is_whole or row.previous != previous:
            found.append(row.id)
        previous = row.chain
    return tuple(found)
