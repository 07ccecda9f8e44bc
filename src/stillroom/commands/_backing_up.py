"""One backup with all that belongs to it: a place that lasts, the dump or a managed snapshot, and the copy elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._backup import BackupSummary, Wanted, interruptible
from stillroom.core.mounts import why_not_lasting
from stillroom.core.own_commands import fill
from stillroom.edges.backup_notes import COPY, write_note
from stillroom.edges.disks import read_file_system
from stillroom.errors import RefusedError, ToolError

if TYPE_CHECKING:
    from stillroom.commands._backup_making import Made
    from stillroom.commands._steps import Work
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating

PRODUCTION = "production"
COPYING = "the copying of "
AS_PRODUCTION = (PRODUCTION, "unknown")  # APP_ENV names something that is not one of ours


@contextmanager
def backing_up(work: Work, held: Migrating, say: Voice, wanted: Wanted) -> Iterator[Made]:
    """Make a backup that may be relied on, whatever comes next; the copy that proved it lasts as long as the block.

    Raises:
        SettingsError: A snapshot is to be made, and rows were to be left out.
        RefusedError: The backup would not last, or a pattern of `exclude` matches no table.
        DatabaseError: The role may not read a table, or the server failed.
        ToolError: It failed, and nothing is kept; or it is there, and could not be copied.
        InterruptedRunError: A signal.
    """
    from stillroom.commands._backup_making import Made, making_backup

    if work.settings.backup_command:
        from stillroom.commands._snapshot_command import make_snapshot

        yield Made(make_snapshot(work, held, say, wanted), None)
        return
    require_lasting_place(work, held.current.mark)
    with making_backup(work, held, say, wanted) as made:
        if work.settings.backup_copy_command:
            _copy(work, held, say, made.backup)
        yield made


def require_lasting_place(work: Work, mark: str | None) -> None:
    """Refuse to call a backup of production what goes with the container.

    Args:
        work: Names the folder.
        mark: What the database says it is.

    Raises:
        RefusedError: The backup folder is on a container's layer or in memory, and no copy is made.
    """
    settings = work.settings
    is_production = mark == PRODUCTION or settings.environment in AS_PRODUCTION
    if not is_production or work.target.is_embedded or settings.backup_copy_command:
        return
    why = why_not_lasting(read_file_system(settings.backup_dir))
    if why:
        raise RefusedError(
            f"a backup in {settings.backup_dir} would be none: that is {why}",
            hint="mount a volume there, or name one in STILLROOM_BACKUP_DIR; or let STILLROOM_BACKUP_COPY_COMMAND carry each backup away",
        )


def cut_copy(phase: str, status: str) -> ToolError | None:
    """Say what became of the backup where the process ended that had it copied; None in another phase."""
    if not phase.startswith(COPYING):
        return None
    path = Path(phase.removeprefix(COPYING))
    return ToolError(
        f"the process {status} while {path.name} was copied, and the copy command was ended; the backup stays in {path}, and nothing else was done",
        hint="run it again; `invoke backups` shows which ones were not copied",
    )


def _copy(work: Work, held: Migrating, say: Voice, backup: BackupSummary) -> None:
    """Run the project's own copy, and note beside the manifest how it ended."""
    from stillroom.edges.own_command import run_command

    settings = work.settings
    stays = f"the backup stays in {backup.path}, and nothing else was done"
    words = fill(settings.backup_copy_command, appended="path", path=str(backup.path), name=backup.name)
    say(f"copying {backup.name} with {words[0]}")
    # Before it begins: of one that is cut off by a kill, nobody notes the end.
    write_note(backup.path, COPY, {"copied_at": datetime.now(UTC).isoformat(), "exit_code": None})
    say.begins(f"{COPYING}{backup.path}")
    with interruptible(held.connection, f"interrupted while {backup.name} was copied; {stays}", "run it again"):
        ran = run_command(words, environment=settings.command_environment, folder=settings.root)
        write_note(backup.path, COPY, {"copied_at": datetime.now(UTC).isoformat(), "exit_code": ran.status})
    say.begins("")
    if ran.problem:
        hint = "correct STILLROOM_BACKUP_COPY_COMMAND and run it again; `invoke backups` lists what is there"
        raise ToolError(f"{backup.name} could not be copied: {ran.problem}; {stays}", hint=hint)
