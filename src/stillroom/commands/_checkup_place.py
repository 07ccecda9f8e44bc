"""Doctor's look at where the database stands to this checkout; Alembic's own words for it are said as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stillroom.core.findings import Finding, from_error, graver
from stillroom.core.plan import describe_place, plan_upgrade, require_apart
from stillroom.edges.scripts import read_tables_made
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from stillroom.commands._checkup import Patient
    from stillroom.core.history import History
    from stillroom.edges.postgres.current import Current

NOT_UP_TO_DATE = "Alembic: Target database is not up to date"


def check_place(patient: Patient, cursor: Cursor) -> Iterator[Finding]:
    """Say whether the database is at head, behind, empty, ahead, foreign, or at odds with itself."""
    history, current = patient.ground.history, patient.current
    if history is None or current is None or patient.unrecorded is None:
        return
    yield from _distrusted(patient, current, cursor)
    place = describe_place(history, current.revisions)
    if place == "foreign":
        yield _unknown(patient, history, current, cursor)
    elif place == "overlapping":
        yield _overlapping(history, current)
    elif patient.unrecorded:
        tables = ", ".join(patient.unrecorded[:5])
        what = f"no revision is recorded, although tables of the history are there ({tables}; {NOT_UP_TO_DATE})"
        hint = "`invoke migrate` finds out which revision that is, `invoke stamp <revision>` records it (Alembic: alembic stamp head)"
        yield Finding("problem", "version-row-missing", what, hint)
    elif current.revisions and not patient.tables and _makes_tables(patient, history, current):
        yield _tables_missing(patient, current)
    elif place == "empty":
        yield _empty(patient, current)
    elif place == "behind":
        pending = plan_upgrade(history, current.revisions).steps
        count = f"{len(pending)} revision{'s' if len(pending) != 1 else ''} pending"
        yield Finding("info", "behind", f"{count} ({NOT_UP_TO_DATE})", "`invoke migrate`")
    else:
        yield Finding("ok", "current", f"at head, {', '.join(current.revisions) or 'no revisions yet'}")


def _distrusted(patient: Patient, current: Current, cursor: Cursor) -> Iterator[Finding]:
    """Name a version table that may be read and not written: it is another role's."""
    from stillroom.edges.postgres.trust import find_distrust

    layout = patient.ground.layout
    if layout is None or not current.has_version_table:
        return
    schema = layout.version_table_schema or current.schema
    name = f'"{schema}"."{layout.version_table}"'
    problem, hint = find_distrust(cursor, name, current.role, plain_for="superusers")
    if problem:
        yield Finding("problem", "version-table", f"the version table {name} {problem}", hint)


def _unknown(patient: Patient, history: History, current: Current, cursor: Cursor) -> Finding:
    """Tell a database that is ahead, of which git or the ledger knows the revision, from a foreign one."""
    from stillroom.edges.git_log import find_commit_of

    settings = patient.ground.settings
    unknown = next(each for each in current.revisions if each not in history.revisions)
    alembic = f"Alembic: Can't locate revision identified by '{unknown}'"
    commit = find_commit_of(settings.root, unknown, settings.child_environment)
    if commit:
        what = f"ahead of this checkout: {commit} has revision {unknown} ({alembic})"
        hint = f"check that commit out, or restore its file: `git checkout {commit.split()[0]} -- {_folder(patient)}`"
        return Finding("info" if settings.allow_ahead else "problem", "ahead", what, hint)
    by = _who_went_on(history, current, unknown, cursor)
    if by:
        what = f"ahead of this checkout: {unknown} was applied on top of its head by {by} ({alembic})"
        hint = "deploy the checkout that has it, or `invoke migrate --allow ahead`"
        return Finding("info" if settings.allow_ahead else "problem", "ahead", what, hint)
    what = f"the database is at revision {unknown}, which has no file here and none in git ({alembic})"
    hint = "restore the file of a newer checkout, or `invoke stamp <revision>`, which proves that the schema is at that one"
    return Finding("problem", "unknown-revision", what, hint)


def _who_went_on(history: History, current: Current, unknown: str, cursor: Cursor) -> str:
    from stillroom.core.ledger.records import is_ahead
    from stillroom.edges.postgres.ledger import can_read
    from stillroom.edges.postgres.records import find_records

    if not current.has_ledger or not can_read(cursor, current.role):
        return ""
    records = find_records(cursor)
    return records[unknown].by if unknown in records and is_ahead(records, history, current.revisions) else ""


def _folder(patient: Patient) -> str:
    layout = patient.ground.layout
    assert layout is not None, "a history was read from it"
    folder = layout.version_folders[0]
    return str(folder.relative_to(layout.root) if folder.is_relative_to(layout.root) else folder)


def _overlapping(history: History, current: Current) -> Finding:
    try:
        require_apart(history, current.revisions)
    except RefusedError as error:
        return from_error("overlapping", error)
    raise AssertionError("unreachable: it is what makes the place an overlapping one")


def _makes_tables(patient: Patient, history: History, current: Current) -> bool:
    """Tell from the text of the applied revisions whether they make any table at all."""
    layout = patient.ground.layout
    assert layout is not None, "a history was read from it"
    applied = sorted(history.closure(current.revisions))
    return any(read_tables_made(layout, history.revisions[each].path, is_strict=False) for each in applied)


def _tables_missing(patient: Patient, current: Current) -> Finding:
    what = f"the version table says {', '.join(current.revisions)}, and none of the tables is there: they were dropped by hand"
    if patient.standing.is_protected:
        return Finding("problem", "tables-missing", what, "`invoke backups` lists what `invoke restore` brings back")
    return Finding(
        "problem", "tables-missing", what, "to start fresh: `invoke reset-dev`, which also runs every revision"
    )


def _empty(patient: Patient, current: Current) -> Finding:
    """Say that nothing is there; a mark says that there was a first run, or somebody who expected one."""
    what = "empty: no revision is recorded and no table of the history is there"
    hint = "`invoke migrate` runs every revision (to start fresh, `invoke reset-dev` does that and `DROP SCHEMA public CASCADE`)"
    if current.mark is None:
        return Finding("info", "empty", f"{what} ({NOT_UP_TO_DATE})", hint)
    what += f", although it is marked {current.mark}; so `DROP SCHEMA public CASCADE` by hand leaves it (start fresh; {NOT_UP_TO_DATE})"
    is_protected = patient.standing.is_protected
    if is_protected:
        hint = "`invoke backups` lists what `invoke restore` brings back; if it is new, `invoke migrate`"
    return Finding(graver(is_protected=is_protected), "empty", what, hint)
