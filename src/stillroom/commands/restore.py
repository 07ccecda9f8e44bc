"""`invoke restore`: a backup into a new database, compared, then swapped in; the old one is kept."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import limits_of, look, reach_database, read_place
from stillroom.commands._restore_checks import choose, describe_stranger, look_around, require_swap
from stillroom.commands._restore_plan import RestorePlanned, plan_restore
from stillroom.core.backup_names import beside, require_database_name
from stillroom.core.guard import parse_allowed
from stillroom.edges.backup_locks import in_use
from stillroom.errors import DatabaseError, InterruptedRunError
from stillroom.report.restore import plan_lines

if TYPE_CHECKING:
    from stillroom.commands._restore_checks import Situation
    from stillroom.commands._restoring import Order, Outcome
    from stillroom.commands._steps import Work
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.child_body import Voice
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Restored:
    """A backup that is a database again.

    Args:
        backup: Its name.
        database: Where it was to go, in words.
        name: The database that holds it now.
        is_swapped: It is in the place of the one that was there.
        kept: What the old one is called now; empty when there is none.
        why_beside: Why it was not swapped in; empty when it was, or was not to be.
        revisions: Where it stands.
        tables: How many tables were compared with the backup.
        rows: How many rows they have.
        notes: What is not as it was.
        was_at: Where the replaced database was; what lies between is pending again.
        seconds: How long it took.
    """

    backup: str
    database: str
    name: str
    is_swapped: bool
    kept: str
    why_beside: str
    revisions: tuple[str, ...]
    tables: int
    rows: int
    notes: tuple[str, ...]
    was_at: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Asked:
    """What was typed.

    Args:
        name: As `invoke backups` lists it; empty with one of the next two.
        revision: The newest good backup of this database at this revision.
        latest: The newest good backup of this database.
        into: A new (or empty) database; then nothing is swapped.
        plan_only: Show what would be done, do nothing.
        keeps_owners: Owners and grants as they were; without, everything belongs to the role that is connected.
        yes: The question's answer.
        allow: Dangers that were allowed by name, comma separated: `swap`, `untrusted`.
    """

    name: str = ""
    revision: str = ""
    latest: bool = False
    into: str = ""
    plan_only: bool = False
    keeps_owners: bool = True
    yes: bool = False
    allow: str = ""


def restore_backup(settings: Settings, terminal: Terminal, asked: Asked) -> Restored | RestorePlanned:
    """Restore a backup beside the live database and put it in its place where that is wanted and possible.

    Args:
        settings: Where the database and the backups are.
        terminal: Told the plan and the progress, and asked before the swap.
        asked: What was typed.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: No such backup, a damaged one, one that does not fit the server, or the swap is not allowed.
        DatabaseError: The server refused.
        ToolError: pg_restore failed, or the copy is not what was backed up.
        LockBusyError: A migration or a backup is running.
        InterruptedRunError: Ctrl-C or a signal; the live database is untouched.
    """
    from stillroom.commands._restoring import Order
    from stillroom.commands._steps import Work

    started, allowed = time.monotonic(), parse_allowed(asked.allow)
    into = require_database_name(asked.into) if asked.into else ""
    target = reach_database(settings, terminal)
    backup = choose(settings, target, name=asked.name, revision=asked.revision, latest=asked.latest, say=terminal.say)
    for note in describe_stranger(backup, target):
        terminal.say(f"note:  {note}")
    work = Work(settings, read_place(settings), target, limits_of(settings, target), "restore")
    situation = look_around(work, backup, into, keeps_owners=asked.keeps_owners, allowed=allowed)
    swaps, token = not into and not situation.why_beside, secrets.token_hex(6)
    place = into or beside(target.url.name, "restore", token)
    plan = plan_restore(work, backup, situation, into=place, swaps=swaps, token=token)
    if asked.plan_only:
        return plan
    for line in plan_lines(plan):
        terminal.say(line)
    is_protected = False
    if swaps and situation.is_live:
        is_protected = require_swap(work, terminal, backup, yes=asked.yes, allowed=allowed)
    order = Order(
        backup, place, situation.into_exists, swaps, is_protected and asked.keeps_owners, token, asked.keeps_owners
    )
    outcome = _restore_in_child(work, terminal, order)
    if outcome.is_swapped:
        _require_arrival(work, backup)
    return _report(work, order, outcome, situation, started)


def _restore_in_child(work: Work, terminal: Terminal, order: Order) -> Outcome:
    from stillroom.commands._restoring import Outcome, restore_in_child
    from stillroom.edges.child import Ended, run_in_child
    from stillroom.edges.interrupt import Interrupted

    def in_child(say: Voice) -> Outcome:
        try:
            return restore_in_child(work, order, say)
        except Interrupted:
            raise InterruptedRunError("interrupted; nothing was changed", hint="run the same command again") from None

    with in_use(order.backup.path):
        outcome = run_in_child(in_child, terminal, command=f"restore {order.backup.name}")
    if isinstance(outcome, Ended):
        state = f"{work.target.url.name} is whole: as it was, or restored"
        hint = "`invoke status` shows where it stands; the next restore drops what was left half-way"
        raise DatabaseError(f"the process that restored {outcome.status}; {state}", hint=hint)
    assert isinstance(outcome, Outcome)
    return outcome


def _require_arrival(work: Work, backup: Backup) -> None:
    """Look again, on a new connection: is the database at the backup's revisions?"""
    assert backup.manifest is not None
    seen = look(work.target, work.project, work.settings, command=work.command).revisions
    if seen != backup.manifest.revisions:
        place = f"at {', '.join(seen) or 'base'} and not at {backup.manifest.place}"
        hint = "`invoke status` shows what is connected to"
        raise DatabaseError(f"{work.target.shown} was swapped, but is {place}", hint=hint)


def _report(work: Work, order: Order, outcome: Outcome, situation: Situation, started: float) -> Restored:
    manifest, why_beside = order.backup.manifest, situation.why_beside
    assert manifest is not None
    if order.swaps and not outcome.is_swapped:
        why_beside = "owners and grants could not be restored, and it is protected"
    return Restored(
        backup=order.backup.name,
        database=work.target.shown,
        name=work.target.url.name if outcome.is_swapped else order.into,
        is_swapped=outcome.is_swapped,
        kept=outcome.kept,
        why_beside=why_beside,
        revisions=manifest.revisions,
        tables=len(manifest.project_rows),
        rows=manifest.row_count,
        notes=outcome.notes,
        was_at=outcome.was_at,
        seconds=time.monotonic() - started,
    )
