"""`invoke restore`: a backup into a new database, compared, then swapped in; the old one is kept."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import limits_of, look, reach_database, read_place
from stillroom.commands._restore_checks import describe_stranger, look_around, require_good, require_swap
from stillroom.core.backup_names import beside, require_database_name
from stillroom.core.guard import parse_allowed
from stillroom.edges.backup_locks import in_use
from stillroom.errors import DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from stillroom.commands._restoring import Order, Outcome
    from stillroom.commands._steps import Work
    from stillroom.edges.backup_list import Backup
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
    seconds: float


def restore_backup(
    settings: Settings, terminal: Terminal, *, name: str, into: str = "", yes: bool = False, allow: str = ""
) -> Restored:
    """Restore a backup beside the live database and put it in its place where that is wanted and possible.

    Args:
        settings: Where the database and the backups are.
        terminal: Told the progress, and asked before the swap.
        name: As `invoke backups` lists it.
        into: A new (or empty) database; then nothing is swapped.
        yes: The question's answer.
        allow: Dangers that were allowed by name, comma separated: a protected database asks for `swap`.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: No such backup, a damaged one, or the swap is not allowed.
        DatabaseError: The server refused.
        ToolError: pg_restore failed, or the copy is not what was backed up.
        LockBusyError: A migration or a backup is running.
        InterruptedRunError: Ctrl-C or a signal; the live database is untouched.
    """
    from stillroom.commands._restoring import Order
    from stillroom.commands._steps import Work

    started, allowed = time.monotonic(), parse_allowed(allow)
    backup = require_good(settings.backup_dir, name)
    target = reach_database(settings, terminal)
    for note in describe_stranger(backup, target):
        terminal.say(f"note:  {note}")
    work = Work(settings, read_place(settings), target, limits_of(settings, target), "restore")
    situation = look_around(work, require_database_name(into) if into else "")
    swaps = not into and not situation.why_beside
    is_protected = False
    if swaps and situation.is_live:
        is_protected = require_swap(work, terminal, backup, yes=yes, allowed=allowed)
    token = secrets.token_hex(6)
    place = into or beside(target.url.name, "restore", token)
    order = Order(backup, place, situation.into_exists, swaps, is_protected, token)
    outcome = _restore_in_child(work, terminal, order)
    if outcome.is_swapped:
        _require_arrival(work, backup)
    return _report(work, order, outcome, situation.why_beside, started)


def _restore_in_child(work: Work, terminal: Terminal, order: Order) -> Outcome:
    from stillroom.commands._restoring import Outcome, restore_in_child
    from stillroom.edges.child import Ended, run_in_child
    from stillroom.edges.interrupt import Interrupted

    def in_child(say: Callable[[str], None]) -> Outcome:
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


def _report(work: Work, order: Order, outcome: Outcome, why_beside: str, started: float) -> Restored:
    manifest = order.backup.manifest
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
        seconds=time.monotonic() - started,
    )
