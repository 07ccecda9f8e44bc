"""`invoke backup-then-migrate` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stillroom.report import _rehearsal, migrate
from stillroom.report.backup import holds, proven, shortly_proven, way

if TYPE_CHECKING:
    from stillroom.commands.backup_then_migrate import BackedUpThenMigrated, BackupThenMigrationPlanned


def text(result: BackedUpThenMigrated | BackupThenMigrationPlanned) -> str:
    """Say what was backed up and where the database stands."""
    if hasattr(result, "migration"):
        return _plan(cast("BackupThenMigrationPlanned", result))
    last = migrate.text(result.migrated)
    if result.backup is None:
        return last
    backup = f"{result.backup.name}: {holds(result.backup)}{proven(result.backup)}"
    predicted = _rehearsal.predicted(result.rehearsal, result.migrated.applied) if result.rehearsal else []
    notes = [f"note:  {each}" for each in result.backup.notes]
    last = f"{last}; {shortly_proven(result.backup)}"
    return "\n".join([backup, way(result.backup, result.restore), *notes, *predicted, last])


def _plan(result: BackupThenMigrationPlanned) -> str:
    if result.backup_dir is None:
        first = "-- no backup: the database has no tables, nothing to protect"
    else:
        first = f"-- a backup would be made first, in {result.backup_dir}"
    return f"{first}\n\n{migrate.text(result.migration)}"
