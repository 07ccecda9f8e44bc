"""A managed snapshot in the place of a dump: STILLROOM_BACKUP_COMMAND makes it, another command says that it is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.commands._backup import BackupSummary, Wanted, interruptible, summarize
from stillroom.core.backup_names import backup_name, clean
from stillroom.core.manifest import Manifest, write_manifest
from stillroom.core.own_commands import fill, read_snapshot_id
from stillroom.edges.backup_list import read_backup, read_backups
from stillroom.edges.backups import publish, unfinished
from stillroom.edges.own_command import Ran, run_command
from stillroom.edges.pg_process import LIMIT_S
from stillroom.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating
    from stillroom.settings import Settings

BY_COMMAND = "command"
VERIFY_WITHIN_S = 3600.0
HINT = "correct {setting} and run it again; older backups are untouched"


def make_snapshot(work: Work, held: Migrating, say: Callable[[str], None], wanted: Wanted) -> BackupSummary:
    """Let the project's command make a snapshot, let the other one verify it, and write its record.

    Raises:
        SettingsError: Rows were to be left out, which no snapshot does.
        ToolError: A command failed or gave no id, or the folder cannot be written.
        InterruptedRunError: A signal; a snapshot may be left, its command knows it.
    """
    settings, started = work.settings, time.monotonic()
    if wanted.schema_only or wanted.exclude:
        message = "STILLROOM_BACKUP_COMMAND makes snapshots of everything, and leaves no rows out"
        raise SettingsError(
            message, hint="leave `--schema-only` and `--exclude-table-data` out, or unset it for this run"
        )
    left = "interrupted; no backup was made; the snapshot command may have left something where it works"
    with (
        interruptible(held.connection, left, f"`invoke {work.command}` starts anew"),
        unfinished(settings.backup_dir, clean(held.current.database)) as partial,
    ):
        created_at = datetime.now(UTC)
        say(f"making a snapshot of {work.target.shown} with {settings.backup_command[0]}")
        id_ = _make(settings)
        problem = verify_snapshot(settings, id_)
        if problem:
            hint = HINT.format(setting="STILLROOM_BACKUP_VERIFY_COMMAND")
            raise ToolError(f"snapshot {id_} was made, and could not be verified: {problem}", hint=hint)
        name = backup_name(held.current.database, created_at, held.current.revisions)
        path = publish(partial, name, lambda: write_manifest(_describe(work, held, wanted, id_, created_at, started)))
    written = read_backup(path)
    assert written.manifest is not None, "a manifest that was written a moment ago"
    return summarize(path, written.manifest)


def verify_snapshot(settings: Settings, id_: str) -> str:
    """Ask the project's command about a snapshot; return what is wrong, empty when nothing is."""
    if not settings.backup_verify_command:
        return f"snapshot {id_} cannot be verified: STILLROOM_BACKUP_VERIFY_COMMAND is not set"
    words = fill(settings.backup_verify_command, appended="id", id=id_)
    return _run(settings, words, limit_s=VERIFY_WITHIN_S).problem


def _make(settings: Settings) -> str:
    ran = _run(settings, settings.backup_command)
    hint = HINT.format(setting="STILLROOM_BACKUP_COMMAND")
    if ran.problem:
        raise ToolError(f"no snapshot was made: {ran.problem}", hint=hint)
    id_ = read_snapshot_id(ran.stdout)
    if not id_:
        said = "its last line on stdout is no id: printable, up to 255 characters, no `-` in front"
        raise ToolError(f"{ran.program} (exit 0): {said}", hint=hint)
    return id_


def _run(settings: Settings, words: tuple[str, ...], *, limit_s: float = LIMIT_S) -> Ran:
    return run_command(words, environment=settings.command_environment, folder=settings.root, limit_s=limit_s)


def _describe(work: Work, held: Migrating, wanted: Wanted, id_: str, created_at: datetime, started: float) -> Manifest:
    number = held.connection.info.server_version
    earlier = (each.manifest.sequence for each in read_backups(work.settings.backup_dir) if each.manifest)
    return Manifest(
        database=held.current.database,
        server=work.target.shown,
        server_version=f"{number // 10_000}.{number % 10_000}",
        tool=work.settings.backup_command[0],
        tool_version="",
        revisions=held.current.revisions,
        created_at=created_at,
        sequence=1 + max(earlier, default=0),
        run=wanted.run,
        files=(),
        rows=(),
        without_rows=(),
        schema_only=False,
        verified=BY_COMMAND,
        verified_at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 3),
        snapshot=id_,
    )
