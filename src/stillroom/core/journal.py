"""A step that commits as it goes: what it has sent so far, and what can be told of a statement that was cut short."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stillroom.core.sql_text import Reader, read_statements

DONE, STARTED = "done", "started"
_READING = ("select", "show", "values", "table", "explain")
_CHANGING = ("insert", "update", "delete", "merge")
_REPEATABLE = ("vacuum", "analyze", "analyse", "cluster", "reindex", "refresh", "checkpoint")


@dataclass(frozen=True)
class Wanted:
    """What a statement wanted, as far as that can be looked for.

    Args:
        kind: "create index", "drop index", "repeatable", or "unknown".
        name: Of the index; it may have a schema before a dot. Empty where the server chooses it.
        table: Its table, where it is created.
        before: The oids of the indexes that the table had before it was sent: those are somebody else's.
    """

    kind: str
    name: str = ""
    table: str = ""
    before: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sent:
    """One statement of the step.

    Args:
        place: Counts the statements of the step, from 0.
        digest: Of its text and its parameters.
        shown: The text in short, without literals.
        state: "done", or "started" while nobody has said that it ended.
        returns: It returned rows, which what comes after it may have used.
        changes: It changes rows.
        wanted: What it wanted, where it cannot run in a transaction, so that its end and our note of it are two.
        rows: How many rows a backfill has done; None for anything else.
        key: The last key that a backfill has done; empty before the first batch.
    """

    place: int
    digest: str
    shown: str
    state: str
    returns: bool = False
    changes: bool = False
    wanted: Wanted | None = None
    rows: int | None = None
    key: str = ""

    @property
    def runs_again(self) -> bool:
        """It only read, so a step that is resumed asks again."""
        return self.returns and not self.changes


@dataclass(frozen=True)
class OpenStep:
    """A step that nobody has said the end of.

    Args:
        id: Of its row in the journal.
        run: The id of its run.
        revision: The revision.
        direction: "upgrade" or "downgrade".
        started_at: UTC.
        by: Who, as "ada on laptop".
        statements: What it sent, in order: what was done, and at most one that was started.
    """

    id: int
    run: str
    revision: str
    direction: str
    started_at: datetime
    by: str
    statements: tuple[Sent, ...]


def digest_of(statement: str, parameters: Any) -> str:
    """Hash a statement with its parameters, as they are sent."""
    return hashlib.sha256(f"{statement}\0{_plain(parameters)!r}".encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((str(name), _plain(each)) for name, each in value.items())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def changes_rows(statement: str) -> bool:
    """Tell whether a statement changes rows, in a WITH as well."""
    start = statement.lstrip()[:6].lower()
    if start.startswith(_CHANGING):
        return True  # a step may send many thousands of them
    if not any(each in statement.lower() for each in _CHANGING):
        return False
    for each in read_statements(statement):
        words = [token.text for token in each if token.kind == "word"]
        if words and words[0] not in _READING and any(word in _CHANGING for word in words):
            return True
    return False


def find_wanted(statement: str) -> Wanted:
    """Tell what a statement that runs outside of a transaction wanted."""
    statements = read_statements(statement)
    if len(statements) != 1:
        return Wanted("unknown")
    reader = Reader(statements[0])
    if statements[0][0].is_word(*_REPEATABLE):
        return Wanted("repeatable")
    if reader.takes("create"):
        reader.takes("unique")
        if reader.takes("index"):
            reader.takes("concurrently")
            reader.takes("if", "not", "exists")
            name = "" if reader.takes("on") else reader.relation()
            reader.takes("on")
            reader.takes("only")
            return Wanted("create index", name, reader.relation())
    if reader.takes("drop", "index"):
        reader.takes("concurrently")
        reader.takes("if", "exists")
        return Wanted("drop index", reader.relation())
    return Wanted("unknown")
