"""`invoke history`: all revisions, with what is applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import look, reach_database, read_project
from stillroom.core.history import History

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class HistoryRow:
    """One revision and how the database stands to it.

    Args:
        id: Its revision id.
        down: The revisions it follows.
        depends_on: Revisions of other branches that come before it.
        message: First line of its docstring.
        path: Its file, relative to the project's root.
        is_applied: The database has it.
        is_current: The version table holds it.
        is_head: No revision follows it.
    """

    id: str
    down: tuple[str, ...]
    depends_on: tuple[str, ...]
    message: str
    path: str
    is_applied: bool
    is_current: bool
    is_head: bool


@dataclass(frozen=True)
class HistoryShown:
    """The whole history, newest first; unknown are current revisions without a file."""

    database: str
    rows: tuple[HistoryRow, ...]
    unknown: tuple[str, ...]


def show_history(settings: Settings, terminal: Terminal) -> HistoryShown:
    """List the revisions; nothing is imported, locked or changed.

    Raises:
        SettingsError: Settings that cannot be used.
        RefusedError: A revision file cannot be read.
        DatabaseError: The server did not answer.
    """
    project = read_project(settings, imports=False)
    database = reach_database(settings, terminal)
    current = look(database, project, settings, command="history", only_looks=True).revisions
    known = tuple(each for each in current if each in project.history.revisions)
    unknown = tuple(each for each in current if each not in project.history.revisions)
    return HistoryShown(database.shown, _rows(project.history, known), unknown)


def _rows(history: History, current: tuple[str, ...]) -> tuple[HistoryRow, ...]:
    applied = history.closure(current)
    found = (history.revisions[each] for each in reversed(history.order))
    return tuple(
        HistoryRow(
            each.id,
            each.down,
            each.depends_on,
            each.message,
            each.path,
            each.id in applied,
            each.id in current,
            each.id in history.heads,
        )
        for each in found
    )
