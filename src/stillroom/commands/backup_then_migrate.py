"""`invoke backup-then-migrate`: the copy first, then the revisions, and the lock is never let go in between."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._adoption import require_no_tables, require_no_tables_now
from stillroom.commands._backup import BackupSummary, Wanted, listing_unreadable
from stillroom.commands._covering import require_covered
from stillroom.commands._emptied import note_emptied
from stillroom.commands._marking import mark_if_new
from stillroom.commands._open_step import require_no_open_step
from stillroom.commands._pending import require_committed, require_whole_files
from stillroom.commands._proving import read_level
from stillroom.commands._records import plan_upgrade_now
from stillroom.commands._rehearsal_between import rehearse_between
from stillroom.commands._rendering import render_plan
from stillroom.commands._running import run_plan
from stillroom.commands._steps import Ran, Work, prepare_upgrade, run_under_lock
from stillroom.commands._way_back import way_back, with_way_back
from stillroom.commands.migrate import Migrated, MigrationPlanned
from stillroom.core.guard import require_allowed
from stillroom.core.plan import HEAD, Plan
from stillroom.errors import StillroomError

if TYPE_CHECKING:
    from stillroom.commands._backup_making import Made
    from stillroom.core.rehearsal import Rehearsal
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class BackedUpThenMigrated:
    """Where the database stands now, and the backup of what was there before.

    Args:
        migrated: What `migrate` would say.
        backup: None when there was nothing to do, or nothing to protect.
        restore: The command that brings the backup back; empty without one, and for a snapshot.
        seconds: Both together.
        rehearsal: What the revisions cost on a copy before; None where none was made.
    """

    migrated: Migrated
    backup: BackupSummary | None
    restore: str
    seconds: float
    rehearsal: Rehearsal | None = None


@dataclass(frozen=True)
class BackupThenMigrationPlanned:
    """What would be done; nothing was.

    Args:
        migration: What would run.
        backup_dir: Where the backup would go; None when there is nothing to protect.
    """

    migration: MigrationPlanned
    backup_dir: Path | None


def migrate_after_backup(
    settings: Settings,
    terminal: Terminal,
    *,
    target: str = HEAD,
    plan_only: bool = False,
    wait_s: str = "",
    shows_data: bool = False,
    verify: str = "",
    rehearses: bool = True,
    allowed: frozenset[str] = frozenset(),
) -> BackedUpThenMigrated | BackupThenMigrationPlanned:
    """Back the database up and apply what is pending up to target, under one migration lock.

    Of several at once, one does both and the others find nothing to do.

    Args:
        settings: Where the database is, where backups go, and the timeouts.
        terminal: Told the progress.
        target: A revision id, "head" (the only one) or "heads" (all of them).
        plan_only: Show what would be done, do nothing.
        wait_s: Longest wait for the lock in seconds, as typed; empty for the setting.
        shows_data: Let errors show rows and parameters.
        verify: "read", "restore", or empty for what the size of the database allows.
        rehearses: Run the revisions first on the copy that the backup was restored into, where it was.
        allowed: "ahead" accepts a database that is ahead of this checkout.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: The database is at a revision that is not here, target lies behind it, there are several heads,
            a pending file is not whole, or no revision is applied and tables of the pending ones are there.
        ToolError: The backup failed; no revision was started.
        DatabaseError: A step failed, or the server did; the hint holds the command that brings the backup back.
        AnswerNoError: A revision failed on the copy; the backup is there, and the database untouched.
        LockBusyError: Another migration holds the lock and the wait ran out.
        InterruptedRunError: Ctrl-C or a signal; the message says how far it came.
    """
    started, level = time.monotonic(), read_level(verify)
    command = "backup-then-migrate"
    with listing_unreadable(settings, terminal, command=command):
        work, standing, plan = prepare_upgrade(
            settings, terminal, command=command, target=target, wait_s=wait_s, allowed=allowed, skips_open=plan_only
        )
    database = work.target.shown
    if not plan.steps:
        seconds = time.monotonic() - started
        return BackedUpThenMigrated(Migrated(database, plan, (), seconds), None, "", seconds)
    require_whole_files(work.project, plan)
    require_no_tables(work, plan, terminal, proves=not plan_only)
    if plan_only:
        return _show(work, plan)
    require_allowed("migrate", standing, command=command)
    require_committed(work, plan, standing)
    require_covered(work, plan, work.current.schema if work.current else "public")
    wanted = Wanted(secrets.token_hex(8), verify=level)
    try:
        order = _Order(target, wanted, allowed, rehearses)
        ran, backup, rehearsal = _run(replace(work, shows_data=shows_data), terminal, order)
    except StillroomError as error:
        raise with_way_back(work, error, wanted.run, is_protected=standing.is_protected) from None
    restore = way_back(work, backup, is_protected=standing.is_protected) if backup else ""
    migrated = Migrated(database, ran.plan, ran.applied, ran.seconds)
    return BackedUpThenMigrated(migrated, backup, restore, time.monotonic() - started, rehearsal)


@dataclass(frozen=True)
class _Order:
    """What was asked for."""

    target: str
    wanted: Wanted
    allowed: frozenset[str]
    rehearses: bool


def _run(work: Work, terminal: Terminal, order: _Order) -> tuple[Ran, BackupSummary | None, Rehearsal | None]:
    """Do all of it in a child that holds the lock; look again there, because another may have been quicker."""

    def body(held: Migrating, say: Voice) -> tuple[Ran, BackupSummary | None, Rehearsal | None]:
        plan = plan_upgrade_now(work, held, say, target=order.target, allowed=order.allowed)
        if not plan.steps:
            return Ran(plan, ()), None, None
        require_no_tables_now(work, held, plan)
        require_no_open_step(work, held, say)
        note_emptied(work, held, plan, say)
        with ExitStack() as kept:
            made = _back_up(work, held, say, order.wanted, kept)
            rehearsal = rehearse_between(work, held, made, plan, say) if made and order.rehearses else None
        mark_if_new(work, held, say)
        name = made.backup.name if made else ""
        return run_plan(work, held, plan, say, backup=name), made.backup if made else None, rehearsal

    ran, backup, rehearsal = run_under_lock(work, terminal, body)
    assert isinstance(ran, Ran)
    return ran, backup, rehearsal


def _back_up(work: Work, held: Migrating, say: Voice, wanted: Wanted, kept: ExitStack) -> Made | None:
    from stillroom.edges.postgres.mark import is_empty

    if is_empty(held.connection):
        say(f"{held.current.database} has no tables: nothing to protect, so no backup is made")
        return None
    from stillroom.commands._backing_up import backing_up

    made = kept.enter_context(backing_up(work, held, say, wanted))
    say(f"backed up to {made.backup.path}")
    return made


def _show(work: Work, plan: Plan) -> BackupThenMigrationPlanned:
    from contextlib import closing

    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.mark import is_empty

    with closing(connect(work.target.url, command=work.command)) as connection:
        has_tables = not is_empty(connection)
    if has_tables and not work.settings.backup_command:
        from stillroom.commands._backing_up import require_lasting_place

        require_lasting_place(work, work.current.mark if work.current else None)
    migration = MigrationPlanned(work.target.shown, plan, render_plan(work, plan))
    return BackupThenMigrationPlanned(migration, work.settings.backup_dir if has_tables else None)
