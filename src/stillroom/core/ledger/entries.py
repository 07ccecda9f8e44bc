"""One row of the ledger, and the chain that ties each row to the one before."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

KINDS = ("run", "step", "stamp", "reset", "restore", "mark", "acceptance", "settlement")
SCRIPT_KINDS = ("step", "acceptance", "settlement")
"""The kinds of rows that say which text of a script counts."""


@dataclass(frozen=True)
class Facts:
    """What is the same for every row of a run.

    Args:
        run: Its id.
        command: The task, or "alembic upgrade".
        actor: The operating system's user.
        host: The machine's name; a pod's.
        stillroom: The version of stillroom.
        application: The version of the project, from pyproject.toml; empty without one.
        commit: The git commit that was checked out; empty outside of git.
        is_dirty: Files that git tracks were changed since.
    """

    run: str
    command: str
    actor: str = ""
    host: str = ""
    stillroom: str = ""
    application: str = ""
    commit: str = ""
    is_dirty: bool = False


@dataclass(frozen=True)
class Entry:
    """One row.

    Args:
        kind: One of `KINDS`.
        outcome: "started", "done", "applied", "undone", "failed", "interrupted", or for a mark the new environment.
        facts: Of its run.
        started_at: UTC.
        ended_at: UTC.
        seconds: How long it took.
        direction: "upgrade" or "downgrade"; empty where nothing moved.
        revision: Of a step.
        parents: What the revision follows, as its script said.
        script: sha256 of the script's bytes.
        tree: sha256 of its syntax tree, without comments, layout, docstrings and annotations.
        sql: sha256 of the statements it sent, in order.
        sqlstate: Of the error that ended it.
        backup: The name of the backup that was made before.
        reason: Why somebody accepted or settled it.
        before: What the version table held.
        after: What it holds afterwards.
    """

    kind: str
    outcome: str
    facts: Facts
    started_at: datetime
    ended_at: datetime
    seconds: float = 0.0
    direction: str = ""
    revision: str = ""
    parents: tuple[str, ...] = ()
    script: str = ""
    tree: str = ""
    sql: str = ""
    sqlstate: str = ""
    backup: str = ""
    reason: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


ENTRY_COLUMNS = tuple(each.name for each in fields(Entry) if each.name != "facts")
FACT_COLUMNS = tuple(each.name for each in fields(Facts))
COLUMNS = FACT_COLUMNS + ENTRY_COLUMNS


@dataclass(frozen=True)
class Row:
    """A row as the database has it.

    Args:
        id: Counts the rows.
        entry: What it says.
        role: Who the database says wrote it.
        previous: The chain value of the row before; empty for the first.
        chain: Its own.
    """

    id: int
    entry: Entry
    role: str
    previous: str
    chain: str

    @property
    def is_whole(self) -> bool:
        """The row says what it said when it was written."""
        return self.chain == chain_of(self.entry, self.role, self.previous)


def values_of(entry: Entry) -> dict[str, Any]:
    """Name each value by its column."""
    of_run = {name: getattr(entry.facts, name) for name in FACT_COLUMNS}
    own = {name: getattr(entry, name) for name in ENTRY_COLUMNS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in (of_run | own).items()}


def entry_from(values: dict[str, Any]) -> Entry:
    """Read a row's values."""
    found: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    facts = Facts(**{name: found[name] for name in FACT_COLUMNS})
    return Entry(facts=facts, **{name: found[name] for name in ENTRY_COLUMNS})


def chain_of(entry: Entry, role: str, previous: str) -> str:
    """Hash a row together with the chain value of the one before: a row that is changed later no longer fits."""
    values = {name: _plain(value) for name, value in values_of(entry).items()}
    text = json.dumps([previous, role, values], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
