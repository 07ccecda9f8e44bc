"""A step that was cut short after it had committed a part of itself: found, shown, and never repeated blindly."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.core.journal import DONE, OpenStep, Sent
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating

Say = Callable[[str], None]


@dataclass(frozen=True)
class Seen:
    """One statement, and what became of it.

    Args:
        sent: As the journal has it.
        state: "done", "begun" (a backfill), "not done", "absent", "invalid", "unknown", or "repeatable".
        index: The index it is about, as SQL names it; empty for anything else, or where it is not there.
    """

    sent: Sent
    state: str
    index: str = ""

    @property
    def is_there(self) -> bool:
        """Something of it may be in the database."""
        return self.state not in {"not done", "absent", "repeatable"} and self.sent.rows != 0

    @property
    def text(self) -> str:
        """Say it in one line."""
        rows = f" ({self.sent.rows:,} rows)" if self.sent.rows is not None else ""
        return f"  {self.state}{rows}: {self.sent.shown}"


def look_at(connection: Connection, step: OpenStep, search_path: str | None) -> tuple[Seen, ...]:
    """Find out what became of each statement.

    Args:
        connection: In autocommit.
        step: The step.
        search_path: The one that steps get.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.current import reading
    from stillroom.edges.postgres.errors import translated

    with translated("looking at what was cut short"), reading(connection, search_path) as cursor:
        return tuple(_see(cursor, each) for each in step.statements)


def _see(cursor: Cursor, sent: Sent) -> Seen:
    from stillroom.edges.postgres.journal import look_for

    wanted = sent.wanted
    if sent.state == DONE or sent.rows is not None:
        return Seen(sent, "done" if sent.state == DONE else "begun")
    if wanted is None:
        return Seen(sent, "not done")
    if wanted.kind in {"repeatable", "unknown"}:
        return Seen(sent, wanted.kind)
    state, index = look_for(cursor, wanted)
    if wanted.kind == "drop index":
        return Seen(sent, "done" if state == "absent" else "not done", index)
    return Seen(sent, "done" if state == "valid" else state, index)


def forget_nothing(work: Work, connection: Connection, role: str) -> bool:
    """Close the journal of a step of which nothing is there; tell whether one is still open.

    Args:
        work: The run.
        connection: That of the run; whatever is open on it is rolled back. One that is gone is left alone.
        role: Who we are there.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.errors import translated
    from stillroom.edges.postgres.journal import close_alone, read_open

    if connection.closed:
        return True
    with translated("looking at what was cut short"):
        connection.rollback()
        connection.autocommit = True
    step = read_open(connection, role)
    if step is None:
        return False
    if any(each.is_there for each in look_at(connection, step, work.limits.search_path)):
        return True
    close_alone(connection, step.id, "nothing")
    return False


def require_no_open_step(work: Work, held: Migrating, say: Say) -> None:
    """Refuse to run anything over a step that was cut short: it is never repeated blindly.

    Raises:
        RefusedError: Part of it is there; what is, was said.
    """
    from stillroom.edges.postgres.journal import close_alone, read_open

    step = read_open(held.connection, held.current.role)
    if step is None:
        return
    if is_over(work, step, held.current.revisions):
        close_alone(held.connection, step.id, "settled")
        return
    if forget_nothing(work, held.connection, held.current.role):
        raise refusal(work, step, look_at(held.connection, step, work.limits.search_path), say)
    say(f"note:  {step.revision} was cut short before anything of it was committed; it runs anew")


def require_none_yet(work: Work, say: Say) -> None:
    """Refuse before the lock where nobody is at work; under the lock it is looked for again.

    Raises:
        RefusedError: Part of a step that was cut short is there.
    """
    from stillroom.commands._database import find_holders, look_on
    from stillroom.edges.postgres.connect import connect

    step = work.open_step
    if step is None:
        return
    with closing(connect(work.target.url, command=work.command)) as connection:
        current = look_on(connection, work.target, work.project, work.settings)
        if is_over(work, step, current.revisions) or find_holders(connection, work.project.layout, current.schema):
            return
        seen = look_at(connection, step, work.limits.search_path)
    if any(each.is_there for each in seen):
        raise refusal(work, step, seen, say)


def is_over(work: Work, step: OpenStep, current: tuple[str, ...]) -> bool:
    """Tell whether the version table says the end of a step: somebody has stamped it, for instance."""
    history = work.project.history
    known = [each for each in current if each in history.revisions]
    is_applied = step.revision in history.closure(known)
    return is_applied if step.direction == "upgrade" else not is_applied and len(known) == len(current)


def refusal(work: Work, step: OpenStep, seen: tuple[Seen, ...], say: Say) -> RefusedError:
    """Show what the step did, and say how to go on."""
    way = "upgrade" if step.direction == "upgrade" else "downgrade"
    say(f"{step.revision}, {way}, begun {step.started_at:%Y-%m-%d %H:%M} UTC by {step.by}:")
    for each in seen:
        say(each.text)
    invalid = [each.index for each in seen if each.state == "invalid"]
    drops = f"drops the invalid index {invalid[0]} and " if invalid else ""
    return RefusedError(
        f"{work.target.shown}: {step.revision} was cut short in its {way}, and part of it is committed; nothing was run",
        hint=f"`invoke migrate --resume` {drops}goes on after what is done; settled by hand: `invoke migrate --resume --as applied`, or `undone`",
    )
