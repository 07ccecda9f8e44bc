"""Run a plan for real: in a child, under the lock, planned again there, and looked at afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import (
    Project,
    Target,
    limits_of,
    look_on,
    reach_database,
    read_place,
    read_project,
    standing_of,
)
from stillroom.commands._heads import require_one_head
from stillroom.commands._looking_after import stands
from stillroom.commands._open_step import require_none_yet
from stillroom.commands._recording import gather_facts
from stillroom.commands._records import is_ahead_of_checkout, require_ahead_allowed, require_unedited
from stillroom.commands._strangers import require_known_here
from stillroom.core.guard import Standing
from stillroom.core.journal import OpenStep
from stillroom.core.ledger.entries import Facts
from stillroom.core.ledger.records import Record
from stillroom.core.limits import Limits, after_waiting, longest_silence_s
from stillroom.core.plan import Plan, plan_upgrade
from stillroom.errors import DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from stillroom.core.applied import Applied
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Work:
    """Everything a run needs, gathered before the fork.

    Args:
        records: What the ledger says of the revisions; none without a ledger.
        open_step: A step that nobody has said the end of: it runs, or was cut short.
        current: Where the database stood before the lock.
    """

    settings: Settings
    project: Project
    target: Target
    limits: Limits
    command: str
    shows_data: bool = False
    records: Mapping[str, Record] = field(default_factory=dict)
    open_step: OpenStep | None = None
    current: Current | None = None

    @cached_property
    def facts(self) -> Facts:
        """Who runs this, where, from which commit: asked for before the fork, by whoever writes."""
        return gather_facts(self.settings, self.command)


@dataclass(frozen=True)
class Ran:
    """What a run did, and how long that took with the last look."""

    plan: Plan
    applied: tuple[Applied, ...]
    seconds: float = 0.0


def prepare_upgrade(
    settings: Settings,
    terminal: Terminal,
    *,
    command: str,
    target: str,
    wait_s: str,
    allowed: frozenset[str] = frozenset(),
    skips_open: bool = False,
) -> tuple[Work, Standing, Plan]:
    """Read everything an upgrade is decided on; nothing is locked, and nothing heavy imported.

    Args:
        settings: Where the database is.
        terminal: Told what is worth knowing before.
        command: The task.
        target: What was asked for.
        wait_s: Longest wait in seconds, as typed; empty for the setting.
        allowed: "ahead" makes a database that is ahead of this checkout one where nothing is to do.
        skips_open: A step that was cut short is no reason to stop: it is to be gone on with, or nothing will be run.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: The database is at a revision that is not here, target lies behind it, or there are several heads.
        DatabaseError: The server did not answer.
    """
    work, current = begin_work(settings, terminal, command=command, wait_s=wait_s, must_write=False)
    standing = standing_of(settings, work.target, current, terminal)
    if is_ahead_of_checkout(work, current.revisions):
        require_ahead_allowed(work, current, terminal.say, allowed)
        return work, standing, Plan("upgrade", (), current.revisions, current.revisions)
    if work.open_step and not skips_open:
        require_none_yet(work, terminal.say)
    require_known_here(settings, work.project, work.target, current)
    require_unedited(work, current.revisions, standing, terminal)
    require_one_head(settings, work.project, current.revisions, target)
    return work, standing, plan_upgrade(work.project.history, current.revisions, target)


def begin_work(
    settings: Settings,
    terminal: Terminal,
    *,
    command: str,
    wait_s: str = "",
    must_write: bool = True,
    needs_history: bool = True,
) -> tuple[Work, Current]:
    """Read the project, reach the server, waiting for it where it is still starting, and look where the database stands.

    Args:
        settings: Where the database is.
        terminal: Told what is waited for.
        command: The task.
        wait_s: Longest wait in seconds, as typed; empty for the setting.
        needs_history: Read the revisions; a task that does not look at them works although one is broken.
        must_write: Whatever is found, the lock will be taken: a pooler or a standby is refused at once.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: A revision file cannot be read, or a pooler stands between.
        DatabaseError: The server did not answer.
    """
    from stillroom.edges.postgres.connect import connect_patiently
    from stillroom.edges.postgres.held import patiently

    project = read_project(settings) if needs_history else read_place(settings)
    target = reach_database(settings, terminal)
    limits, started = limits_of(settings, target, wait_s), time.monotonic()
    patience = {"wait_s": limits.wait_s, "absent_wait_s": limits.absent_wait_s}
    with closing(connect_patiently(target.url, command=command, say=terminal.say, **patience)) as connection:
        left = after_waiting(limits, time.monotonic() - started)
        if must_write:
            from stillroom.edges.postgres.session import require_direct

            require_direct(connection, limits)
        current = patiently(lambda: look_on(connection, target, project, settings), limits, terminal.say)
        work = Work(settings, project, target, left, command, current=current)
        if needs_history and current.has_ledger and settings.ledger != "off":
            from stillroom.edges.postgres.records import read_memory

            memory = patiently(lambda: read_memory(connection, current.role), limits, terminal.say)
            work = replace(work, records=memory.records, open_step=memory.open_step)
    return work, current


def run_under_lock(work: Work, terminal: Terminal, body: Callable[[Migrating, Voice], Any]) -> Any:
    """Call body in a child that holds the migration lock.

    Raises:
        StillroomError: What the body raised.
        DatabaseError: The child left without a word; the message says where the database stands.
        AnswerNoError: It did so in a rehearsal.
        ToolError: It did so while a backup was copied elsewhere, or was killed in a rehearsal.
    """
    from stillroom.edges.child import Ended, run_in_child

    def in_child(say: Voice) -> Any:
        from stillroom.edges.postgres.session import migrating

        with migrating(
            work.target.url, layout=work.project.layout, limits=work.limits, command=work.command, say=say
        ) as held:
            return _stoppable(held, lambda: body(held, say))

    if work.settings.ledger != "off":
        _ = work.facts  # git is asked here, before the lock
    outcome = run_in_child(in_child, terminal, command=work.command, longest_silence_s=longest_silence_s(work.limits))
    if isinstance(outcome, Ended) and outcome.phase:
        from stillroom.commands._backing_up import cut_copy
        from stillroom.commands._rehearsal_copies import drop_left_copies, ended_rehearsal

        drop_left_copies(work, terminal.say)
        cut = cut_copy(outcome.phase, outcome.status)
        if cut:
            raise cut
        raise ended_rehearsal(outcome, f"{stands(work, work.target)}, and was not touched")
    if isinstance(outcome, Ended):
        raise DatabaseError(
            f"the process that ran the steps {outcome.status}; {stands(work, work.target)}",
            hint="`invoke status` shows what is pending, and whether it was cut short in the middle; correct the revision, if it did that",
        )
    return outcome


def _stoppable(held: Migrating, body: Callable[[], Any]) -> Any:
    """Let a signal cancel what runs in the server, whatever the body does there.

    Raises:
        InterruptedRunError: A signal; steps say by themselves how far they came.
    """
    from stillroom.edges.interrupt import cancelling

    with cancelling(held.connection) as flag:
        try:
            return body()
        except InterruptedRunError:
            raise
        except BaseException:
            if not flag.is_set:
                raise
            raise InterruptedRunError(
                "interrupted; what was under way was rolled back",
                hint="`invoke status` shows where the database stands",
            ) from None
