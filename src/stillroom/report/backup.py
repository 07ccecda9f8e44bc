"""`invoke backup` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import count, size

if TYPE_CHECKING:
    from stillroom.commands._backup import BackupSummary
    from stillroom.commands.backup import BackedUp


def text(result: BackedUp) -> str:
    """Say the way back; the last line, what was backed up and how it was proven."""
    backup = result.backup
    place = ", ".join(backup.revisions) or "base"
    lines = [
        way(backup, result.restore),
        str(backup.path),
        *(f"note:  {each}" for each in backup.notes),
        f"{result.database}: backed up at {place} in {backup.seconds:.1f} s: {holds(backup)}{proven(backup)}",
    ]
    return "\n".join(lines)


def proven(backup: BackupSummary) -> str:
    """Say how it was proven."""
    if backup.snapshot:
        return ", verified by its command"
    if backup.verified == "read":
        return ", read back in full"
    return f", restored into {backup.verified_where} and compared"


def shortly_proven(backup: BackupSummary) -> str:
    """Say how it was proven, where the rest of it was said before."""
    if backup.snapshot:
        return "the snapshot was verified by its command"
    return "the backup was " + ("read back in full" if backup.verified == "read" else "restored and compared")


def way(backup: BackupSummary, restore: str) -> str:
    """Say what brings it back."""
    if backup.snapshot:
        return f"the way back: restore snapshot {backup.snapshot} where it was made"
    return f"the way back: `{restore}`"


def holds(backup: BackupSummary) -> str:
    """Say what is in a backup, and what is not."""
    if backup.snapshot:
        return f"snapshot {backup.snapshot}"
    if backup.schema_only:
        return f"the schema without rows, {size(backup.size_bytes)}"
    text = f"{count(backup.rows, 'row')} of {count(backup.tables, 'table')}, {size(backup.size_bytes)}"
    return text + (f", without the rows of {', '.join(backup.without_rows)}" if backup.without_rows else "")
