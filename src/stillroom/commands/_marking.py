"""The mark that a database gets by itself, at its first migrate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stillroom.commands._recording import record
from stillroom.core.guard import SAFE_MARKS

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating


def mark_if_new(work: Work, held: Migrating, say: Callable[[str], None]) -> None:
    """Write the mark at the first migrate of an empty database, when APP_ENV names development or test."""
    from stillroom.edges.postgres.mark import is_empty, write_mark

    environment = work.settings.environment
    if (
        work.target.is_embedded
        or environment not in SAFE_MARKS
        or held.current.mark is not None
        or held.current.has_version_table
    ):
        return
    if not is_empty(held.connection):
        return
    where = {"database": held.current.database, "role": held.current.role}
    if write_mark(held.connection, environment, **where).problem:
        say(
            f"note:  {held.current.database} was not marked: {held.current.role} may not create a schema; it counts as unknown, which protects it"
        )
    else:
        say(f"marked {held.current.database} as {environment}: it was empty, and APP_ENV says so")
        record(work, held.connection, say, (), "mark", outcome=environment, reason="it was empty, and APP_ENV says so")
