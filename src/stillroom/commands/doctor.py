"""`invoke doctor`: what is wrong with the settings, the project, the way to the database, and the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._checkup import Ground, GroundCheck, Patient, PatientCheck
from stillroom.commands._checkup_backups import check_backups
from stillroom.commands._checkup_files import check_git, check_modes, check_settings
from stillroom.commands._checkup_ledger import check_journal, check_ledger, check_mark
from stillroom.commands._checkup_objects import check_lock, check_objects, check_sessions
from stillroom.commands._checkup_place import check_place
from stillroom.commands._checkup_project import check_heads, check_models, find_ground
from stillroom.commands._checkup_server import (
    check_role,
    check_session_settings,
    check_tools,
    check_versions,
    check_way,
)
from stillroom.commands._database import Project, Target, look_on, reach_database, search_path_of
from stillroom.commands._unrecorded import find_made_tables
from stillroom.core.findings import Finding, count, from_error, in_order
from stillroom.core.guard import Standing
from stillroom.core.history import History
from stillroom.errors import InterruptedRunError, RefusedError, StillroomError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.tables import Tables
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

# A new check goes into one of these two, and its findings onto the page of doctor.
WITHOUT_DATABASE: tuple[GroundCheck, ...] = (check_settings, check_modes, check_git, check_heads, check_models)
WITH_DATABASE: tuple[PatientCheck, ...] = (
    check_way, check_versions, check_tools, check_session_settings, check_place, check_role, check_objects, check_sessions, check_lock, check_ledger,
    check_journal, check_mark,
)  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What was found.

    Args:
        database: Its name and server; empty where none could be told.
        findings: By severity, problems last.
    """

    database: str
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """6 when there is a problem."""
        return 6 if count(self.findings, "problem") else 0


def examine(settings: Settings, terminal: Terminal) -> Examined:
    """Look at everything that a task may stumble over; nothing is locked, set or changed.

    Args:
        settings: Where the project and the database are.
        terminal: Told when the embedded server had to be started; what the models print goes there.

    Raises:
        InterruptedRunError: Ctrl-C, or another signal.
    """
    ground, found = find_ground(settings, terminal)
    findings = list(found)
    # Before there is a connection: the models are imported in a forked child.
    for check in WITHOUT_DATABASE:
        findings += check(ground)
    try:
        database = reach_database(settings, terminal)
    except StillroomError as error:
        return Examined("", in_order([*findings, from_error("connection", error)]))
    standing, more = _examine_database(ground, database)
    findings += [*more, *check_backups(settings, database, is_protected=standing.is_protected)]
    return Examined(database.shown, in_order(findings))


def _examine_database(ground: Ground, database: Target) -> tuple[Standing, tuple[Finding, ...]]:
    """Connect and look; where that fails, it is what was found."""
    from stillroom.edges.postgres.connect import connect

    try:
        with closing(connect(database.url, command="doctor")) as connection:
            connected = Finding("ok", "connection", f"connected to {database.shown}")
            patient, found = _meet(ground, database, connection)
            return patient.standing, (connected, *found, *_ask(patient))
    except InterruptedRunError:
        raise
    except StillroomError as error:
        standing = Standing(None, ground.settings.environment, database.is_embedded)
        return standing, (from_error("connection", error),)


def _meet(ground: Ground, database: Target, connection: Connection) -> tuple[Patient, tuple[Finding, ...]]:
    """Read where the database stands; without that, the other questions can still be asked."""
    from stillroom.edges.postgres.tables import read_tables

    if ground.layout is None:
        return Patient(ground, database, connection, None), ()
    project = Project(ground.layout, ground.history or History({}))
    try:
        current = look_on(connection, database, project, ground.settings, only_looks=True)
        path = search_path_of(ground.settings, database)
        there = read_tables(connection, version_table=ground.layout.version_table, search_path=path)
    except StillroomError as error:
        return Patient(ground, database, connection, None), (from_error("version-table", error),)
    return Patient(ground, database, connection, current, there.names, _find_unrecorded(project, current, there)), ()


def _find_unrecorded(project: Project, current: Current, there: Tables) -> tuple[str, ...] | None:
    """Look for tables of the history beside a version table without a row; a broken file is a finding already."""
    try:
        return () if current.revisions else find_made_tables(project, there, is_strict=current.has_version_table)
    except RefusedError:
        return None


def _ask(patient: Patient) -> Iterator[Finding]:
    """Ask each question in a read-only transaction of its own, so that one without an answer stops no other."""
    from stillroom.edges.postgres.current import is_lost, reading
    from stillroom.edges.postgres.errors import translated

    for check in WITH_DATABASE:
        try:
            with translated("looking at the server"), reading(patient.connection, patient.search_path) as cursor:
                found = tuple(check(patient, cursor))
        except InterruptedRunError:
            raise
        except StillroomError as error:
            yield from_error("unanswered", error, "warning")
            if is_lost(patient.connection):
                return
        else:
            yield from found
