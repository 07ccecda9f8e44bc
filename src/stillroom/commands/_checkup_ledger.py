"""Doctor's look at what the database remembers: ledger, journal, and where its mark was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, find_holders
from stillroom.commands._records import find_edits_of
from stillroom.core.findings import Finding, Severity, graver, shortened
from stillroom.core.guard import COPIED
from stillroom.core.ledger.runs import find_changed, find_place
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from stillroom.commands._checkup import Patient
    from stillroom.core.ledger.records import Record
    from stillroom.edges.postgres.current import Current


def check_ledger(patient: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Say whether there is a ledger, whether it is whole, and which applied revisions are not what ran."""
    from stillroom.edges.postgres.ledger import TABLE, can_read, read_rows
    from stillroom.edges.postgres.records import find_records
    from stillroom.edges.postgres.trust import find_distrust

    current, settings = patient.current, patient.ground.settings
    if current is None:
        return
    if settings.ledger == "off":
        yield Finding(
            "info", "ledger-off", "STILLROOM_LEDGER is off: who ran what, and edits of applied revisions, are not kept"
        )
        return
    if not current.has_ledger:
        yield Finding(
            "info", "ledger-missing", "there is no ledger yet", "the next `invoke migrate` that runs something makes it"
        )
        return
    if not can_read(cursor, current.role):
        problem, hint = find_distrust(cursor, TABLE, current.role)
        what = f"{TABLE} {problem or 'may not be read'}"
        yield Finding(
            "warning", "ledger-untrusted", what, hint or f"as its owner: `GRANT SELECT ON {TABLE} TO PUBLIC;`"
        )
        return
    rows = read_rows(cursor)
    yield from _version(cursor, current)
    place = find_place(rows)
    if place is not None and set(place) != set(current.revisions):
        was, now = (", ".join(each) or "no revision" for each in (place, current.revisions))
        what = f"the version table holds {now}, and the last run left it at {was}: something else has written it"
        yield Finding(
            "warning",
            "version-moved",
            what,
            "`invoke ledger` shows who ran what; `invoke check --drift` compares the schema",
        )
    changed = find_changed(rows)
    if not rows and current.revisions:
        what = f"{TABLE} is empty, although revisions are applied: its rows were taken away, or the database was stamped by something else"
        yield Finding(
            "warning",
            "ledger-empty",
            what,
            "`invoke ledger.accept <revision> --reason …` enters the present text of one",
        )
        return
    if changed:
        what = f"row {changed[0]} of {TABLE} was changed, or one before it was taken away"
        yield Finding("problem", "ledger-changed", what, "`invoke ledger.verify`; a backup holds the rows as they were")
    else:
        yield Finding("ok", "ledger", f"{len(rows)} rows, none of them changed")
    if patient.ground.layout is not None and patient.ground.history is not None:
        project = Project(patient.ground.layout, patient.ground.history)
        yield from shortened(_edits(patient, project, find_records(cursor), current))


def _version(cursor: Cursor, current: Current) -> Iterator[Finding]:
    """Say that our schema is of a version that we only read, and whose version table we would refuse to write."""
    from stillroom.edges.postgres.own_schema import SCHEMA_VERSION, find_version

    version = find_version(cursor, current.role)
    if version > SCHEMA_VERSION:
        what = f"the schema stillroom is of version {version}, and this stillroom knows {SCHEMA_VERSION}: it is read and never written"
        yield Finding("warning", "records-newer", what, "install the newer stillroom")


def _edits(patient: Patient, project: Project, records: Mapping[str, Record], current: Current) -> Iterator[Finding]:
    try:
        edits = find_edits_of(project, records, current.revisions)
    except RefusedError:
        return  # a file that cannot be read is a finding already
    for each in edits:
        if each.kind != "layout":
            severity: Severity = "problem" if patient.standing.is_protected else "warning"
            hint = f'restore the file and write a new revision, or `invoke ledger.accept {each.revision} --reason "…"`'
            yield Finding(severity, "revision-edited", each.text, hint)


def check_journal(patient: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Name the step that was cut short after it had committed a part of itself."""
    from stillroom.edges.postgres.journal import find_open

    if patient.current is None or patient.ground.settings.ledger == "off":
        return
    step = find_open(cursor, patient.current.role)
    if step is not None and not _is_running(patient, cursor):
        done = sum(each.state == "done" for each in step.statements)
        what = f"{step.revision} was cut short in its {step.direction}, begun by {step.by}, with {done} statement{'s' if done != 1 else ''} done"
        yield Finding("problem", "open-step", what, "`invoke migrate` shows them, `invoke migrate --resume` goes on")


def _is_running(patient: Patient, cursor: Cursor) -> bool:
    layout, current = patient.ground.layout, patient.current
    if layout is None or current is None:
        return False
    return bool(find_holders(cursor.connection, layout, current.schema))


def check_mark(patient: Patient, _: Cursor) -> Iterator[Finding]:
    """Say that a mark does not count, or names another environment than APP_ENV."""
    standing, current = patient.standing, patient.current
    if current is None or patient.database.is_embedded:
        return
    if standing.mark == COPIED:
        what = "its mark came in a copy of another database, so it counts as unknown, which protects it"
        yield Finding("info", "mark-copied", what, "`invoke mark --environment …` says what this one is")
    elif standing.is_contradicted:
        hint = "correct APP_ENV or DATABASE_URL; `invoke config` shows where they come from"
        yield Finding(graver(is_protected=True), "mark-contradicted", standing.why, hint)
    elif standing.mark is None:
        hint = "`invoke mark --environment development`, or whatever it is"
        yield Finding("info", "mark-missing", "it has no mark, so it is unknown, which protects it", hint)
