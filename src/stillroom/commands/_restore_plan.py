"""What a restore would do: from when, into what, and what would be lost by it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stillroom.core.backup_names import beside

if TYPE_CHECKING:
    from stillroom.commands._restore_checks import Situation
    from stillroom.commands._steps import Work
    from stillroom.core.written import Since
    from stillroom.edges.backup_list import Backup


@dataclass(frozen=True)
class RestorePlanned:
    """A restore before it begins.

    Args:
        backup: Its name.
        made_at: The moment that it returns to, UTC.
        revisions: Where the database was then.
        tables: How many tables with rows of the project are in it.
        rows: How many rows they have.
        size_bytes: Of the dump.
        tool_version: Of the pg_restore that is used.
        database: The database that it is for, in words.
        into: The new database.
        becomes: What it is called in the end.
        kept: What the present one will be called; empty where nothing is swapped.
        why_beside: Why it is not swapped in; empty when it is, or was not to be.
        since: What was written to the present database since; None where there is none.
        notes: What will not be as it was.
    """

    backup: str
    made_at: datetime
    revisions: tuple[str, ...]
    tables: int
    rows: int
    size_bytes: int
    tool_version: str
    database: str
    into: str
    becomes: str
    kept: str
    why_beside: str
    since: Since | None
    notes: tuple[str, ...]


def plan_restore(
    work: Work, backup: Backup, situation: Situation, *, into: str, swaps: bool, token: str
) -> RestorePlanned:
    """Put the plan together; the present database is only read.

    Raises:
        DatabaseError: The server failed.
    """
    manifest = backup.manifest
    assert manifest is not None, "only good backups are restored"
    replaces = swaps and situation.is_live
    return RestorePlanned(
        backup=backup.name,
        made_at=manifest.created_at,
        revisions=manifest.revisions,
        tables=len(manifest.project_rows),
        rows=manifest.row_count,
        size_bytes=manifest.size_bytes,
        tool_version=situation.tool_version,
        database=work.target.shown,
        into=into,
        becomes=work.target.url.name if swaps else into,
        kept=beside(work.target.url.name, "before", token) if replaces else "",
        why_beside=situation.why_beside,
        since=written_since(work, backup) if replaces else None,
        notes=situation.notes,
    )


def written_since(work: Work, backup: Backup) -> Since:
    """Count what was written to the present database since a backup.

    Raises:
        DatabaseError: The server failed.
    """
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.written import count_written

    assert backup.manifest is not None, "only good backups are compared with"
    origin, rows = backup.manifest.contents.origin, backup.manifest.rows
    with closing(connect(work.target.url, command=work.command)) as connection:
        return count_written(connection, origin, rows, version_table=work.project.layout.version_table)
