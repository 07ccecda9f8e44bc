"""`invoke backups`: the backups that are there, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.edges.backup_list import Backup, read_backups
from stillroom.edges.backup_notes import COPY, PIN, read_note

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class ListedBackup:
    """One line of the list.

    Args:
        name: What `invoke restore` takes.
        database: Of what; empty when that cannot be read.
        revisions: What the database was at.
        created_at: When the snapshot was taken, UTC; when the folder changed, for one without a manifest.
        age_s: Seconds since then.
        size_bytes: Of the dump.
        verified: How it was proven; empty for one that cannot be used.
        problem: Why it cannot be used; empty for a good one.
        lacks: What of the database is not in it; empty for a whole one.
        snapshot: The id of the snapshot that stands for the dump; empty for a dump.
        is_pinned: It is never pruned.
        pin_reason: Why, as far as somebody said it.
        copy_exit_code: How STILLROOM_BACKUP_COPY_COMMAND ended for it; None when it was not run, or no end of it is known.
        copy_began: It was run.
    """

    name: str
    database: str
    revisions: tuple[str, ...]
    created_at: datetime
    age_s: float
    size_bytes: int
    verified: str
    problem: str
    lacks: str
    snapshot: str
    is_pinned: bool
    pin_reason: str
    copy_exit_code: int | None
    copy_began: bool


@dataclass(frozen=True)
class BackupsListed:
    """All that is in the backup folder."""

    folder: Path
    backups: tuple[ListedBackup, ...]


def list_backups(settings: Settings, terminal: Terminal) -> BackupsListed:
    """List the backups, newest first; sizes are compared with the manifest, contents are not read.

    Raises:
        ToolError: The folder cannot be read.
    """
    del terminal  # nothing to say, nobody to ask
    now = datetime.now(UTC)
    found = read_backups(settings.backup_dir)
    return BackupsListed(settings.backup_dir, tuple(_list(each, now) for each in found))


def _list(backup: Backup, now: datetime) -> ListedBackup:
    manifest = backup.manifest
    created_at = manifest.created_at if manifest else backup.changed_at
    pin, copy = read_note(backup.path, PIN), read_note(backup.path, COPY)
    code = copy.get("exit_code") if copy else None
    return ListedBackup(
        name=backup.name,
        database=manifest.database if manifest else "",
        revisions=manifest.revisions if manifest else (),
        created_at=created_at,
        age_s=(now - created_at).total_seconds(),
        size_bytes=manifest.size_bytes if manifest else 0,
        verified=manifest.verified if manifest and not backup.problem else "",
        problem=backup.problem,
        lacks=manifest.lacks if manifest else "",
        snapshot=manifest.snapshot if manifest else "",
        is_pinned=pin is not None,
        pin_reason=str((pin or {}).get("reason", "")),
        copy_exit_code=code if isinstance(code, int) else None,
        copy_began=copy is not None,
    )
