"""`invoke backup`: a dump of the database, read back in full, in a folder of its own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._backup import LOCK_WAIT_S, BackupSummary, Wanted, listing_unreadable
from stillroom.commands._database import standing_of
from stillroom.commands._way_back import way_back
from stillroom.errors import InterruptedRunError, SettingsError, ToolError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.child_body import Voice
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made and proven.

    Args:
        database: Of what, in words.
        backup: What it is.
        restore: The command that brings it back; empty for a snapshot, which its own provider restores.
    """

    database: str
    backup: BackupSummary
    restore: str


def back_up_database(
    settings: Settings,
    terminal: Terminal,
    *,
    exclude: str = "",
    schema_only: bool = False,
    lock_wait: str = "",
    verify: str = "",
) -> BackedUp:
    """Make a backup; other backups may run at the same time, a migration may not.

    Args:
        settings: Where the database is, and where backups go.
        terminal: Told the progress.
        exclude: Tables whose rows are left out, separated by commas; `*` stands for any characters.
        schema_only: Leave all rows out.
        verify: "read", "restore", or empty for what the size of the database allows.
        lock_wait: Longest wait for a table in seconds, as typed; empty for 60.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: A pooler stands between, or a pattern matches no table.
        DatabaseError: The role may not read a table, or the server failed.
        ToolError: No pg_dump fits, it failed, or the file system did; nothing is kept.
        LockBusyError: A migration is running and the wait ran out.
        InterruptedRunError: Ctrl-C or a signal; nothing is kept.
    """
    from stillroom.commands._proving import read_level
    from stillroom.commands._steps import begin_work

    patterns = tuple(each.strip() for each in exclude.split(",") if each.strip())
    wanted = Wanted(secrets.token_hex(8), schema_only, patterns, read_lock_wait(lock_wait), read_level(verify))
    with listing_unreadable(settings, terminal, command="backup"):
        work, current = begin_work(settings, terminal, command="backup", needs_history=False)
    database = work.target
    standing = standing_of(settings, database, current, terminal)
    backup = _back_up_in_child(work, terminal, wanted)
    return BackedUp(database.shown, backup, way_back(work, backup, is_protected=standing.is_protected))


def _back_up_in_child(work: Work, terminal: Terminal, wanted: Wanted) -> BackupSummary:
    from stillroom.edges.child import Ended, run_in_child

    def in_child(say: Voice) -> BackupSummary:
        from stillroom.commands._backing_up import backing_up
        from stillroom.edges.interrupt import Interrupted
        from stillroom.edges.postgres.session import migrating

        layout = work.project.layout
        try:
            with (
                migrating(
                    work.target.url, layout=layout, limits=work.limits, command=work.command, say=say, is_shared=True
                ) as held,
                backing_up(work, held, say, wanted) as made,
            ):
                return made.backup
        except Interrupted:
            raise InterruptedRunError("interrupted; no backup was made", hint="`invoke backup` starts anew") from None

    outcome = run_in_child(in_child, terminal, command=work.command)
    if isinstance(outcome, Ended):
        from stillroom.commands._backing_up import cut_copy

        cut = cut_copy(outcome.phase, outcome.status)
        if cut:
            raise cut
        hint = "`invoke backup` starts anew and removes what was left; older backups are untouched"
        raise ToolError(f"the process that made the backup {outcome.status}", hint=hint)
    assert isinstance(outcome, BackupSummary)
    return outcome


def read_lock_wait(text: str) -> float:
    """Read `--lock-wait-timeout`.

    Raises:
        SettingsError: It is no number of seconds from 0.001 to 86400.
    """
    try:
        seconds = float(text) if text else LOCK_WAIT_S
    except ValueError:
        seconds = -1.0
    if not 0.001 <= seconds <= 86_400:
        message = f"--lock-wait-timeout is {text!r}, not a number of seconds from 0.001 to 86400"
        raise SettingsError(message, hint="for instance `--lock-wait-timeout 30`")
    return seconds
