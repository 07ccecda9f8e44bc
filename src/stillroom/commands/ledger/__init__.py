"""`invoke ledger`: who ran what on this database, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import reach_database, read_place
from stillroom.commands._ledger import read_all
from stillroom.core.ledger.runs import Run, runs_of

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

LAST = 20


@dataclass(frozen=True)
class LedgerShown:
    """The runs that the database knows of.

    Args:
        database: Its name and server.
        count: All of them.
        runs: The last ones, or all.
        missing: Why there is nothing to read; empty when there is.
    """

    database: str
    count: int
    runs: tuple[Run, ...]
    missing: str = ""


def show_ledger(settings: Settings, terminal: Terminal, *, everything: bool = False) -> LedgerShown:
    """Read the ledger; nothing is locked or changed.

    Args:
        settings: Where the database is.
        terminal: Told when the embedded server had to be started.
        everything: Show all runs, and not the last 20.

    Raises:
        SettingsError: Settings that cannot be used.
        DatabaseError: The server did not answer.
    """
    project, target = read_place(settings), reach_database(settings, terminal)
    found = read_all(settings, project, target, command="ledger")
    runs = runs_of(found.rows)
    return LedgerShown(target.shown, len(runs), runs if everything else runs[-LAST:], found.missing)
