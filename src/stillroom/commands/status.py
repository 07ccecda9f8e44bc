"""`invoke status`: where the database stands to this checkout."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stillroom.commands._checkup import Ground, Patient, examine_cheaply
from stillroom.commands._database import Project, reach_database, read_project, search_path_of, standing_of
from stillroom.commands._heads import read_fork
from stillroom.commands._strangers import find_stranger, hint_for
from stillroom.commands._unrecorded import find_made_tables
from stillroom.core.findings import count
from stillroom.core.heads import Fork
from stillroom.core.plan import describe_place, plan_upgrade
from stillroom.core.strangers import Stranger

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.lock import Holder
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Status:
    """Where a database stands.

    Args:
        database: Its name and server.
        place: "head", "behind", "empty", "ahead" (the ledger or git knows the revision, this checkout does not), "foreign", or
            "overlapping" (one row of the version table comes before another).
        current: What the version table holds.
        heads: Of this checkout.
        pending: What `invoke migrate` would run, in order.
        unrecorded: Tables of the history that are there although no revision is recorded.
        found_in: Where the file of an unknown revision is, when it was found.
        mark: The environment written in the database.
        is_protected: Whether dangerous tasks are refused.
        why: Why that is so.
        holders: Sessions that hold the migration lock.
        applied_by: Who took it further than this checkout goes, and when, where the ledger proves that.
        cut_short: The revision that was cut short after it had committed a part of itself.
        asks: Whether the exit code is the answer.
        problems: How many doctor would name, as far as a glance shows.
        warnings: The same.
        fork: The chain to each head, where there are several and something is pending.
        stranger: An unknown revision, with its file, branch and commit as far as they were found.
        ways_out: What may be done about it, each with what to type.
    """

    database: str
    place: str
    current: tuple[str, ...]
    heads: tuple[str, ...]
    pending: tuple[str, ...]
    unrecorded: tuple[str, ...]
    found_in: str
    mark: str | None
    is_protected: bool
    why: str
    holders: tuple[Holder, ...]
    applied_by: str = ""
    cut_short: str = ""
    asks: bool = False
    problems: int = 0
    warnings: int = 0
    fork: Fork | None = None
    stranger: Stranger | None = None
    ways_out: str = field(default="", metadata={"has_lines": True})

    @property
    def exit_code(self) -> int:
        """6 when the question was asked and the answer is no."""
        return 6 if self.asks and self.place != "head" else 0


def show_status(settings: Settings, terminal: Terminal, *, asks: bool = False) -> Status:
    """Read where the database stands; nothing is locked or changed.

    Args:
        settings: Where the database is.
        terminal: Told when the embedded server had to be started.
        asks: Make the exit code the answer.

    Raises:
        SettingsError: Settings that cannot be used.
        RefusedError: A revision file cannot be read.
        DatabaseError: The server did not answer.
    """
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.current import read_current
    from stillroom.edges.postgres.lock import lock_key, read_holders
    from stillroom.edges.postgres.tables import read_tables

    project = read_project(settings, imports=False)
    layout, database = project.layout, reach_database(settings, terminal)
    unrecorded: tuple[str, ...] = ()
    with closing(connect(database.url, command="status")) as connection:
        current = read_current(
            connection,
            version_table=layout.version_table,
            version_table_schema=layout.version_table_schema,
            search_path=search_path_of(settings, database),
            only_looks=True,
        )
        holders = read_holders(
            connection, lock_key(layout.version_table_schema or current.schema, layout.version_table)
        )
        if not current.revisions:
            path = search_path_of(settings, database)
            there = read_tables(connection, version_table=layout.version_table, search_path=path)
            unrecorded = find_made_tables(project, there, is_strict=current.has_version_table)
        cut_short = "" if holders or not current.has_ledger else _find_cut_short(connection, current)
        applied_by = _find_who_went_on(project, connection, current)
        ground = Ground(settings, terminal, layout, project.history)
        findings = examine_cheaply(Patient(ground, database, connection, current))
    place = describe_place(project.history, current.revisions)
    pending = plan_upgrade(project.history, current.revisions).steps if place in {"behind", "empty"} else ()
    found_in, ways_out, stranger = "", "", None
    if place == "foreign":
        unknown = next(each for each in current.revisions if each not in project.history.revisions)
        stranger = find_stranger(settings, project, unknown)
        found_in = stranger.where if stranger.kind else ""
        ways_out = hint_for(settings, project, database, current, stranger)
        place = "ahead" if found_in or applied_by else "foreign"
    standing = standing_of(settings, database, current)
    return Status(
        database.shown, place, current.revisions, project.history.heads, pending, unrecorded, found_in,
        current.mark, standing.is_protected, standing.why, holders, applied_by, cut_short, asks,
        count(findings, "problem"), count(findings, "warning"),
        read_fork(settings, project) if pending and len(project.history.heads) > 1 else None,
        stranger, ways_out,
    )  # fmt: skip


def _find_who_went_on(project: Project, connection: Connection, current: Current) -> str:
    """Ask the ledger who has taken the database further than this checkout goes; an empty string when it does not know."""
    unknown = [each for each in current.revisions if each not in project.history.revisions]
    if not unknown or not current.has_ledger:
        return ""
    from stillroom.core.ledger.records import is_ahead
    from stillroom.edges.postgres.records import read_records

    records = read_records(connection, current.role)
    if not is_ahead(records, project.history, current.revisions):
        return ""
    return f"{records[unknown[0]].by}, {records[unknown[0]].at:%Y-%m-%d %H:%M} UTC"


def _find_cut_short(connection: Connection, current: Current) -> str:
    from stillroom.edges.postgres.journal import read_open

    step = read_open(connection, current.role)
    return step.revision if step else ""
