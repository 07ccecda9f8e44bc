"""The ledger of one run: who we are is found out before the lock, and rows are entered while it is held."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom import __version__
from stillroom.commands._database import look_on
from stillroom.core.ledger.entries import Entry, Facts
from stillroom.errors import DatabaseError, InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.ledger import Ledger
    from stillroom.edges.postgres.session import Migrating
    from stillroom.settings import Settings

ANSWER_WITHIN_S = 3.0  # a network that is gone was waited for long enough by now
WITHOUT = "without it an edit of an applied revision, a newer checkout and a step that was cut short are not seen"


def gather_facts(settings: Settings, command: str) -> Facts:
    """Find out who runs this, where, and from which commit."""
    from stillroom.edges.git import read_checkout
    from stillroom.edges.surroundings import find_actor, find_host, read_application_version

    checkout = read_checkout(settings.root, settings.child_environment)
    return Facts(
        run=secrets.token_hex(8),
        command=command,
        actor=find_actor(),
        host=find_host(),
        stillroom=__version__,
        application=read_application_version(settings.root),
        commit=checkout.commit if checkout else "",
        is_dirty=bool(checkout and checkout.is_dirty),
    )


@dataclass(frozen=True)
class Recording:
    """One run under way, and its beginning.

    Args:
        ledger: Where it is entered.
        started_at: UTC.
        before: What the version table held.
        backup: The name of the backup that was made before.
    """

    ledger: Ledger
    started_at: datetime
    before: tuple[str, ...]
    backup: str = ""

    def entry(self, kind: str, outcome: str, **more: object) -> Entry:
        """Make a row that ends now."""
        now = datetime.now(UTC)
        values: dict[str, object] = {
            "started_at": self.started_at,
            "before": self.before,
            "backup": self.backup,
            **more,
        }
        began = values["started_at"]
        assert isinstance(began, datetime)
        seconds = round((now - began).total_seconds(), 3)
        return Entry(kind, outcome, self.ledger.facts, ended_at=now, seconds=max(seconds, 0.0), **values)  # type: ignore[arg-type]


def begin_recording(
    work: Work, held: Migrating, say: Callable[[str], None], before: tuple[str, ...], *, backup: str = ""
) -> Recording | None:
    """Enter the beginning of a run; None where rows cannot be entered, which is said.

    Args:
        work: The run.
        held: Its connection.
        say: Told what is new, or missing.
        before: What the version table holds.
        backup: The name of the backup that was made before.

    Raises:
        DatabaseError: The server refused for another reason than a right.
    """
    recording = open_recording(work, held.connection, before, say, backup=backup)
    if recording:
        recording.ledger.enter_alone(held.connection, [recording.entry("run", "started")])
    return recording


def open_recording(
    work: Work, connection: Connection, before: tuple[str, ...], say: Callable[[str], None], *, backup: str = ""
) -> Recording | None:
    """Make the ledger where there is none, and say so once; None where rows cannot be entered, which is said.

    Args:
        work: Names the database, and who we are.
        connection: In autocommit.
        before: What the version table holds.
        say: Told what is new, or missing.
        backup: The name of the backup that was made before.

    Raises:
        DatabaseError: The server refused for another reason than a right.
    """
    from stillroom.edges.postgres.ledger import Ledger, open_ledger

    if work.settings.ledger == "off":
        return None
    started_at = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("select pg_catalog.current_database(), current_user::text")
        database, role = cursor.fetchone() or ("", "")
    opened = open_ledger(connection, database=database, role=role)
    if not opened.is_usable:
        say(f"note:  no ledger: {opened.problem}; {WITHOUT}; {opened.hint}")
        return None
    if opened.is_new:
        say(f"{database} keeps a ledger from now on, in its schema stillroom: `invoke ledger`")
    return Recording(Ledger(work.facts, role), started_at, before, backup)


def record(
    work: Work, connection: Connection, say: Callable[[str], None], before: tuple[str, ...], kind: str, **more: object
) -> None:
    """Enter one thing that was done and is no step, in a transaction of its own.

    Args:
        work: What is done.
        connection: In autocommit.
        say: Told what is new, or missing.
        before: What the version table held.
        kind: "stamp", "reset", "restore" or "mark".
        more: Other columns of the row; the outcome is "done" unless given.

    Raises:
        DatabaseError: The server refused.
    """
    recording = open_recording(work, connection, before, say)
    if recording:
        outcome = str(more.pop("outcome", "done"))
        recording.ledger.enter_alone(connection, [recording.entry(kind, outcome, **more)])


def end_recording(
    work: Work,
    held: Migrating,
    recording: Recording | None,
    after: tuple[str, ...],
    error: StillroomError | None = None,
    *,
    sqlstate: str = "",
    steps: Sequence[Entry] = (),
) -> None:
    """Enter how a run ended, on the connection that did it, or on a new one where that is gone.

    Args:
        work: The run.
        held: Its connection.
        recording: Its beginning; nothing is entered without one.
        after: What the version table holds, as far as that is known.
        error: What ended it; None when it came to its end.
        sqlstate: The server's code for that error.
        steps: Rows of steps that left none: those that failed.

    Raises:
        DatabaseError: The server refused, although the work is done.
    """
    if recording is None:
        return
    outcome = "done" if error is None else "interrupted" if isinstance(error, InterruptedRunError) else "failed"
    entries = [*steps, recording.entry("run", outcome, after=after, sqlstate=sqlstate)]
    if not held.connection.closed:
        _make_idle(held.connection)
        recording.ledger.enter_alone(held.connection, entries)
        return
    from stillroom.commands._looking_after import connect_again

    with closing(connect_again(work, timeout_s=ANSWER_WITHIN_S, place_within_s=ANSWER_WITHIN_S)) as connection:
        recording.ledger.enter_alone(connection, entries)


def enter_end(
    work: Work,
    connection: Connection,
    recording: Recording,
    kind: str,
    outcome: str,
    *,
    sqlstate: str = "",
    steps: Sequence[Entry] = (),
) -> None:
    """Enter the end of a run that no plan of ours says the end of: where the database stands is read.

    Raises:
        DatabaseError: The connection is lost, or the server refused.
    """
    _make_idle(connection)
    after = look_on(connection, work.target, work.project, work.settings).revisions
    entries = [*steps, recording.entry(kind, outcome, after=after, sqlstate=sqlstate)]
    recording.ledger.enter_alone(connection, entries)


def _make_idle(connection: Connection) -> None:
    """End what Alembic may have left open."""
    import psycopg2

    try:
        connection.rollback()
        connection.autocommit = True
    except psycopg2.Error as error:
        raise DatabaseError(f"the connection is lost: {error}", hint="`invoke status`") from None
