"""What a rehearsal runs on: a fresh copy of the database, a backup that is a database again, or an empty one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.commands._copying import Copy, NoCopyError, archive_of, restored_copy
from stillroom.commands._database import Target, search_path_of
from stillroom.commands._scratch import SAME_SERVER, build_revisions, may_create, read_live, scratch_somewhere
from stillroom.errors import AnswerNoError, DatabaseError, RefusedError, StillroomError, ToolError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.child import Ended
    from stillroom.edges.child_body import Voice
    from stillroom.edges.terminal import Terminal

SESSION_ENDS_WITHIN_S = 0.5  # of a process that is gone


def with_search_path(work: Work) -> Work:
    """Pin what the live database resolves names through: it is the database's own, and no copy has it.

    Raises:
        DatabaseError: The server did not answer.
    """
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.current import read_search_path

    with closing(connect(work.target.url, command=work.command)) as connection:
        path = read_search_path(connection, search_path_of(work.settings, work.target))
    return replace(work, limits=replace(work.limits, search_path=path))


def ended_rehearsal(ended: Ended, untouched: str) -> StillroomError:
    """Say of a process that is gone whether that was its own doing: only that is an answer.

    Args:
        ended: How it ended.
        untouched: The database that it was about, in words, and that it was not touched.
    """
    message = f"the process that ran the rehearsal {ended.status}; {untouched}"
    if ended.was_killed:
        why = "it was killed from outside, by somebody or by the system for want of memory"
        return ToolError(
            f"{message}: {why}",
            hint="run the same command again; the revision is not the cause as far as anybody knows",
        )
    return AnswerNoError(message, hint="correct the revision, then run the same command again")


def drop_left_copies(work: Work, say: Callable[[str], None]) -> None:
    """Drop the copy that a process has left behind as it ended; where that cannot be, the next run does it."""
    from stillroom.edges.postgres.databases import connect_beside_or_to
    from stillroom.edges.postgres.leftovers import sweep_unfinished

    with suppress(StillroomError), closing(connect_beside_or_to(work.target.url, command=work.command)) as admin:
        time.sleep(SESSION_ENDS_WITHIN_S)
        sweep_unfinished(admin, say)


@contextmanager
def copied(work: Work, kept: Backup | None, say: Voice) -> Iterator[tuple[Copy, tuple[str, ...]]]:
    """Copy the database, and say which revisions it is at; the migration lock is held for the copying alone.

    Args:
        work: About the database.
        kept: A backup to restore; None for a fresh copy.
        say: Told what is done.

    Raises:
        RefusedError: There is no place for a copy.
        ToolError: It could not be made.
        DatabaseError: A server refused.
        LockBusyError: A migration is running and the wait ran out.
    """
    from stillroom.commands._backup_making import fresh_copy
    from stillroom.edges.postgres.session import migrating

    with ExitStack() as stack:
        try:
            if kept is not None:
                copy, revisions = stack.enter_context(restored_copy(work, archive_of(kept), say)), _revisions(kept)
            else:
                with migrating(
                    work.target.url,
                    layout=work.project.layout,
                    limits=work.limits,
                    command=work.command,
                    say=say,
                    is_shared=True,
                ) as held:
                    copy, revisions = stack.enter_context(fresh_copy(work, held, say)), held.current.revisions
        except NoCopyError as error:
            hint = f"let the role create databases: {may_create(work)}; or `invoke rehearse --without-data`"
            raise RefusedError(error.message, hint=hint) from None
        yield copy, revisions


def _revisions(backup: Backup) -> tuple[str, ...]:
    assert backup.manifest is not None, "a good backup has one"
    return backup.manifest.revisions


@contextmanager
def empty_copy(work: Work, terminal: Terminal, revisions: tuple[str, ...]) -> Iterator[tuple[Work, Copy]]:
    """Build the applied revisions in a scratch database, the embedded server's where that can be had.

    Args:
        work: About the database.
        terminal: Told where they are built.
        revisions: Where the database is.

    Raises:
        RefusedError: They cannot be built, or there is no place.
        DatabaseError: A server refused.
    """
    live = read_live(work)
    with scratch_somewhere(work, terminal, live, apart=True) as (url, where):
        is_same = where == SAME_SERVER
        there = replace(work, target=Target(url, work.target.is_embedded or not is_same))
        try:
            built = build_revisions(there, terminal, revisions, live, url, purpose="to rehearse there")
        except DatabaseError as error:
            raise RefusedError(
                f"{', '.join(revisions)} cannot be built in {where}: {error.message}",
                hint="`invoke rehearse` without the flag copies the database instead",
            ) from None
        is_shared = is_same and not work.target.is_embedded
        copy = Copy(built.work.target, f"{where}, without data", is_shared, has_owners=False)
        yield replace(work, limits=built.work.limits), copy
