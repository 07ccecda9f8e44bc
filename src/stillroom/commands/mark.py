"""`invoke mark`: which environment the database says it is."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import limits_of, look, reach_database, read_place
from stillroom.commands._recording import record
from stillroom.commands._steps import Work
from stillroom.core.guard import Standing
from stillroom.errors import DatabaseError, RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

ENVIRONMENTS = ("development", "test", "staging", "production")


@dataclass(frozen=True)
class Marked:
    """The mark as it is now, and as it was."""

    database: str
    mark: str | None
    before: str | None
    is_protected: bool
    why: str


def mark_database(settings: Settings, terminal: Terminal, *, environment: str = "") -> Marked:
    """Show the mark, or write another one.

    Args:
        settings: Where the database is.
        terminal: Asked for the database's name when the mark "production" is taken away.
        environment: development, test, staging or production; empty to show.

    Raises:
        SettingsError: No such environment.
        RefusedError: "production" would be taken away, and the name was not typed.
        DatabaseError: The role may not write the mark; the statement that lets it is in the hint.
    """
    if environment and environment not in ENVIRONMENTS:
        raise SettingsError(f"there is no environment named {environment!r}", hint=f"one of: {', '.join(ENVIRONMENTS)}")
    project = read_place(settings)
    database = reach_database(settings, terminal)
    current = look(database, project, settings, command="mark")
    if environment and environment != current.mark:
        if current.mark == "production":
            _require_name(terminal, current.database, environment)
        from stillroom.edges.postgres.connect import connect
        from stillroom.edges.postgres.mark import write_mark

        with closing(connect(database.url, command="mark")) as connection:
            made = write_mark(connection, environment, database=current.database, role=current.role)
            if made.problem:
                raise DatabaseError(f"the mark was not written: {made.problem}", hint=made.hint)
            work = Work(settings, project, database, limits_of(settings, database), "mark")
            reason = f"{current.mark or 'no mark'} before"
            record(
                work,
                connection,
                terminal.say,
                current.revisions,
                "mark",
                outcome=environment,
                reason=reason,
                after=current.revisions,
            )
    now = look(database, project, settings, command="mark").mark
    standing = Standing(now, settings.environment, database.is_embedded)
    if environment and now != environment:
        raise DatabaseError(
            f"{current.database}: the mark was written, but reads {now}",
            hint="`invoke mark` shows it; another session changed it",
        )
    return Marked(database.shown, now, current.mark, standing.is_protected, standing.why)


def _require_name(terminal: Terminal, name: str, environment: str) -> None:
    if not terminal.is_interactive:
        raise RefusedError(
            f"{name} is marked production; taking that away needs its name typed on a terminal",
            hint=f"`invoke mark --environment {environment}` in a terminal",
        )
    if terminal.ask(f"{name} is marked production. Type its name to mark it {environment}: ") != name:
        raise RefusedError("that is not its name; nothing was touched", hint="`invoke mark` shows the mark")
