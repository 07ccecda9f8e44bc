"""What the checks of doctor are given, and those among them that `status` can afford."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import search_path_of, standing_of
from stillroom.core.guard import Standing

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from stillroom.commands._database import Target
    from stillroom.core.findings import Finding
    from stillroom.core.history import History
    from stillroom.core.layout import Layout
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Ground:
    """What is known without a database.

    Args:
        settings: Of this run.
        terminal: Where lines of progress go.
        layout: Where the project's files are; None where that cannot be read.
        history: The revisions; None where they cannot be read, or are no sound graph.
    """

    settings: Settings
    terminal: Terminal
    layout: Layout | None = None
    history: History | None = None


@dataclass(frozen=True)
class Patient:
    """A database that answers.

    Args:
        ground: What is known without it.
        database: What it is called, and where.
        connection: In autocommit, with nothing open on it.
        current: What its version table and mark say; None where they cannot be read.
        tables: Its tables, as "schema.table"; those of extensions, ours and the version table left out.
        unrecorded: Tables of the history that are there although no revision is recorded; None where a broken file hides it.
    """

    ground: Ground
    database: Target
    connection: Connection
    current: Current | None
    tables: frozenset[str] = frozenset()
    unrecorded: tuple[str, ...] | None = ()

    @property
    def standing(self) -> Standing:
        """What is known about the danger of touching it; unknown protects."""
        return (
            standing_of(self.ground.settings, self.database, self.current)
            if self.current
            else Standing(None, self.ground.settings.environment, self.database.is_embedded)
        )

    @property
    def search_path(self) -> str | None:
        """The path to pin while it is looked at; None for the server's own."""
        return search_path_of(self.ground.settings, self.database)


GroundCheck = Callable[[Ground], Iterable["Finding"]]
PatientCheck = Callable[[Patient, "Cursor"], Iterable["Finding"]]


def examine_cheaply(patient: Patient) -> tuple[Finding, ...]:
    """Do the checks that cost next to nothing: modes of files, and one read-only transaction on the connection that is there.

    What the server refuses to tell is left to doctor.
    """
    import psycopg2

    from stillroom.commands._checkup_files import check_modes
    from stillroom.commands._checkup_objects import check_objects, check_sessions
    from stillroom.commands._checkup_server import check_role, check_versions, check_way
    from stillroom.edges.postgres.current import reading
    from stillroom.errors import DatabaseError

    found = list(check_modes(patient.ground))
    try:
        with reading(patient.connection, patient.search_path) as cursor:
            for check in (check_way, check_versions, check_role, check_objects, check_sessions):
                found += check(patient, cursor)
    except (DatabaseError, psycopg2.Error):
        pass
    return tuple(found)
