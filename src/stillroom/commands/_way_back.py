"""What brings a backup back: the command that is printed, and what is said of it when something went wrong."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from stillroom.errors import AnswerNoError, DatabaseError, StillroomError

if TYPE_CHECKING:
    from stillroom.commands._backup import BackupSummary
    from stillroom.commands._steps import Work
    from stillroom.edges.backup_list import Backup

UNTOUCHED = "was not touched"  # what a rehearsal says of the database


def restore_command(work: Work, name: str, *, is_protected: bool, lacks: str = "") -> str:
    """Write the command that brings a backup back, with the flag that a protected database, or a role without rights, asks for."""
    if not _may_create(work):
        return f"invoke restore {name} --into {work.target.url.name}_restored"
    # A partial one is never swapped in.
    return f"invoke restore {name}" + (" --allow swap" if is_protected and not lacks else "")


def _may_create(work: Work) -> bool:
    """Ask whether the role may create databases; where the server cannot be asked now, it may."""
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.databases import may_create

    try:
        with closing(connect(work.target.url, command=work.command)) as connection:
            return may_create(connection)
    except DatabaseError:
        return True


def way_back(work: Work, backup: BackupSummary, *, is_protected: bool) -> str:
    """Write the command that brings a backup back; empty for a snapshot, which no command of ours restores."""
    return "" if backup.snapshot else restore_command(work, backup.name, is_protected=is_protected, lacks=backup.lacks)


def snapshot_back(id_: str) -> str:
    """Say what brings a managed snapshot back."""
    return f"restore snapshot {id_} where it was made, beside the live database, and name that one in DATABASE_URL"


def with_way_back(work: Work, error: StillroomError, run: str, *, is_protected: bool) -> StillroomError:
    """Add the way back to what went wrong after the backup; the folder tells, whatever became of the child."""
    from stillroom.edges.backup_list import read_backups
    from stillroom.edges.backup_notes import COPY, read_note

    made = [each for each in read_backups(work.settings.backup_dir) if each.manifest and each.manifest.run == run]
    if not made or not made[0].manifest:
        return error
    copy, manifest = read_note(made[0].path, COPY), made[0].manifest
    if copy and copy.get("exit_code"):
        return error  # nothing was done after the copy that failed
    if isinstance(error, AnswerNoError) or UNTOUCHED in error.message:
        return type(error)(f"{error.message}; the backup is there: {made[0].name}", hint=error.hint)
    way = f"`{restore_command(work, made[0].name, is_protected=is_protected, lacks=manifest.lacks)}`"
    way = snapshot_back(manifest.snapshot) if manifest.snapshot else way
    back = f"to go back to {manifest.created_at:%H:%M:%S} UTC: {way} ({_since(work, made[0])})"
    return type(error)(error.message, hint=f"{error.hint}; {back}")


def _since(work: Work, backup: Backup) -> str:
    """Say what a restore would lose; where the database cannot be asked now, that."""
    from stillroom.commands._restore_plan import written_since

    try:
        return written_since(work, backup).text
    except StillroomError as error:
        return f"what was written since cannot be known: {error.message}"
