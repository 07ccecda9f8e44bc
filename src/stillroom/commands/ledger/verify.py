"""`invoke ledger.verify`: whether ledger, version table and the scripts of this checkout agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import reach_database, read_project
from stillroom.commands._ledger import WholeLedger, read_all
from stillroom.commands._records import find_edits_of
from stillroom.core.ledger.records import latest_records
from stillroom.core.ledger.runs import find_changed, find_place, runs_of

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

SHOWN = 5


@dataclass(frozen=True)
class LedgerVerified:
    """What was found.

    Args:
        database: Its name and server.
        rows: How many rows the ledger has.
        compared: How many applied revisions were compared with their files.
        problems: What does not agree, one sentence each.
        notes: What is worth knowing and no problem.
        missing: Why there is nothing to compare; empty when there is.
    """

    database: str
    rows: int
    compared: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    missing: str = ""

    @property
    def exit_code(self) -> int:
        """6 when something does not agree, or nothing could be compared."""
        return 6 if self.problems or self.missing else 0


def verify_ledger(settings: Settings, terminal: Terminal) -> LedgerVerified:
    """Compare the ledger with itself, with the version table, and with the files; no revision is run.

    Raises:
        SettingsError: Settings that cannot be used.
        RefusedError: A revision file cannot be read.
        DatabaseError: The server did not answer.
    """
    project = read_project(settings, imports=False)
    target = reach_database(settings, terminal)
    found = read_all(settings, project, target, command="ledger.verify")
    if found.missing:
        return LedgerVerified(target.shown, 0, 0, (), (), found.missing)
    records = latest_records(found.rows)
    edits = find_edits_of(project, records, found.current.revisions)
    applied = project.history.closure(each for each in found.current.revisions if each in project.history.revisions)
    unrecorded = [each for each in project.history.order if each in applied and each not in records]
    notes = [each.text for each in edits if each.kind == "layout"]
    if unrecorded:
        shown = ", ".join(unrecorded[:SHOWN]) + (", …" if len(unrecorded) > SHOWN else "")
        notes.append(f"no run of {shown} is recorded (stamped, or applied before there was a ledger)")
    problems = [*_chain(found), *_place(found), *(each.text for each in edits if each.kind != "layout")]
    unknown = [each for each in found.current.revisions if each not in project.history.revisions]
    problems += [f"the database is at {each}, which has no file here" for each in unknown]
    compared = len(applied & records.keys())
    return LedgerVerified(target.shown, len(found.rows), compared, tuple(problems), tuple(notes))


def _chain(found: WholeLedger) -> list[str]:
    if not found.rows and found.current.revisions:
        return ["the ledger is empty, although revisions are applied: its rows were taken away"]
    changed = find_changed(found.rows)
    shown = ", ".join(map(str, changed[:SHOWN])) + (", …" if len(changed) > SHOWN else "")
    return [f"row {shown} of stillroom.ledger was changed, or one before it was taken away"] if changed else []


def _place(found: WholeLedger) -> list[str]:
    """Compare the version table with what the last run left there."""
    place = find_place(found.rows)
    now = found.current.revisions
    if not found.rows:
        return []
    if place is None:
        last = runs_of(found.rows)[-1:]
        return [f"the last run ({each.command} by {each.by}) never said how it ended" for each in last]
    if set(place) == set(now):
        return []
    was, is_now = (", ".join(each) or "no revision" for each in (place, now))
    return [f"the version table holds {is_now}, and the last run left it at {was}: something else has written it"]
