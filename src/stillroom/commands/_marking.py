"""The mark that a database gets by itself: at its first migrate, or when it came here as a copy."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stillroom.commands._recording import record
from stillroom.core.guard import COPIED, SAFE_MARKS

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.postgres.session import Migrating
    from stillroom.settings import Settings

EMPTY = "it was empty, and APP_ENV says so"
SAME = "it came as a copy that was marked so, and APP_ENV says so, too"


def may_be_marked(settings: Settings, current: Current) -> bool:
    """Tell whether a run that applies something would mark the database as one for development or test by itself.

    Whether it is empty is looked at under the lock.
    """
    if settings.environment not in SAFE_MARKS:
        return False
    is_first = current.mark is None and not current.has_version_table
    return is_first or (current.mark == COPIED and current.copied_mark == settings.environment)


def mark_if_new(work: Work, held: Migrating, say: Callable[[str], None]) -> None:
    """Write the mark when APP_ENV names development or test: at the first migrate of an empty database, and of a copy marked so."""
    from stillroom.edges.postgres.mark import is_empty, write_mark

    environment, current = work.settings.environment, held.current
    if work.target.is_embedded or not may_be_marked(work.settings, current):
        return
    if current.mark is None and not is_empty(held.connection):
        return
    why = EMPTY if current.mark is None else SAME
    if write_mark(held.connection, environment, database=current.database, role=current.role).problem:
        say(
            f"note:  {current.database} was not marked: {current.role} may not create a schema; it counts as unknown, which protects it"
        )
    else:
        say(f"marked {current.database} as {environment}: {why}")
        record(
            work,
            held.connection,
            say,
            current.revisions,
            "mark",
            outcome=environment,
            reason=why,
            after=current.revisions,
        )
