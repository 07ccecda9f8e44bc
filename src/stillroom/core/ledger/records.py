"""What the ledger says of applied revisions, held against the files of this checkout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from stillroom.core.history import History
from stillroom.core.ledger.entries import SCRIPT_KINDS, Row

SHOWN = 12


@dataclass(frozen=True)
class Record:
    """The text of a revision that counts: the one that ran last, or that was accepted since.

    Args:
        revision: Its id.
        parents: What it followed.
        script: sha256 of its file's bytes.
        tree: sha256 of what it does.
        sql: sha256 of what it sent; empty when it was accepted without running.
        at: When, UTC.
        by: Who, as "ada on laptop".
        is_accepted: It was accepted, and did not run so.
    """

    revision: str
    parents: tuple[str, ...]
    script: str
    tree: str
    sql: str
    at: datetime
    by: str
    is_accepted: bool = False


@dataclass(frozen=True)
class Found:
    """The text of a revision as it is now.

    Args:
        script: sha256 of the bytes.
        tree: sha256 of what it does; empty where it was not needed.
    """

    script: str
    tree: str = ""


@dataclass(frozen=True)
class Edit:
    """An applied revision whose file is not what it was.

    Args:
        kind: "edited", "moved" (it follows something else now), or "layout" (comments and form only).
        path: Its file.
        record: What ran.
        found: What is there now.
        detail: What it follows now, where it was moved.
    """

    kind: str
    revision: str
    path: str
    record: Record
    found: Found
    detail: str = ""

    @property
    def text(self) -> str:
        """Say it in one line, with both hashes."""
        did = "was accepted" if self.record.is_accepted else "ran"
        hashes = f"it {did} as sha256 {self.record.script[:SHOWN]}, and is {self.found.script[:SHOWN]} now"
        when = f"{'accepted' if self.record.is_accepted else 'applied'} {self.record.at:%Y-%m-%d %H:%M} UTC by {self.record.by}"
        if self.kind == "layout":
            return f"{self.path}: only comments or layout of an applied revision changed ({hashes})"
        if self.kind == "moved":
            was = ", ".join(self.record.parents) or "nothing"
            return f"{self.path} follows {self.detail} now, and followed {was} when it ran ({when}; {hashes})"
        return f"{self.path} was edited after it {did} ({when}): {hashes}"


def latest_records(rows: Iterable[Row]) -> Mapping[str, Record]:
    """Take for each revision the last row that says which text counts."""
    found = {}
    for row in rows:
        each = row.entry
        if each.kind in SCRIPT_KINDS and each.outcome in {"applied", "accepted"} and each.script:
            by = f"{each.facts.actor} on {each.facts.host}"
            found[each.revision] = Record(
                each.revision, each.parents, each.script, each.tree, each.sql, each.ended_at, by
            )
    return found


def find_edits(
    records: Mapping[str, Record], history: History, current: Iterable[str], found: Mapping[str, Found]
) -> tuple[Edit, ...]:
    """Compare each applied revision with what the ledger says of it; one without a record is passed over.

    Args:
        records: By revision.
        history: This checkout's.
        current: What the version table holds; unknown ones are passed over.
        found: The files as they are, by revision, those that have a record.
    """
    applied = history.closure(each for each in current if each in history.revisions)
    edits = []
    for revision in history.order:
        if revision in applied and revision in records and revision in found:
            edit = _compare(records[revision], history, found[revision])
            if edit:
                edits.append(edit)
    return tuple(edits)


def _compare(record: Record, history: History, found: Found) -> Edit | None:
    revision = history.revisions[record.revision]
    needs = tuple(sorted(set(revision.needs)))
    if needs != record.parents:
        return Edit("moved", revision.id, revision.path, record, found, ", ".join(needs) or "nothing")
    if found.script == record.script:
        return None
    kind = "layout" if found.tree == record.tree else "edited"
    return Edit(kind, revision.id, revision.path, record, found)


def find_descent(records: Mapping[str, Record], history: History, current: Iterable[str]) -> frozenset[str]:
    """Follow unknown revisions back through the ledger to those that this checkout has.

    Args:
        records: By revision.
        history: This checkout's.
        current: What the version table holds.

    Returns:
        The revisions of this checkout that are applied, or none when the ledger does not know the way.
    """
    todo, seen, known = list(current), set[str](), set[str]()
    while todo:
        each = todo.pop()
        if each in seen:
            continue
        seen.add(each)
        if each in history.revisions:
            known.add(each)
        elif each in records and records[each].parents:
            todo += records[each].parents
        else:
            return frozenset()
    return history.closure(known)


def is_ahead(records: Mapping[str, Record], history: History, current: Iterable[str]) -> bool:
    """Tell whether the database has all of this checkout's revisions, and more that another checkout brought."""
    current = tuple(current)
    if not history.heads or all(each in history.revisions for each in current):
        return False
    return set(history.heads) <= find_descent(records, history, current)
