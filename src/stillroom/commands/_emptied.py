"""A database that the ledger knows with revisions, and that is empty now: somebody dropped its schema by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from stillroom.commands._database import standing_of
from stillroom.commands._recording import record
from stillroom.core.plan import Plan
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating

NAMED = ("staging", "production")


def note_emptied(work: Work, held: Migrating, plan: Plan, say: Callable[[str], None]) -> None:
    """Enter in the ledger that the database was emptied by hand, before it is built anew.

    Raises:
        RefusedError: It is marked staging or production: that is no way to start over there.
    """
    from stillroom.edges.postgres.mark import is_empty
    from stillroom.edges.postgres.records import read_place

    current = held.current
    if not plan.steps or current.has_version_table or not current.has_ledger or work.settings.ledger == "off":
        return
    place = read_place(held.connection, current.role)
    if not place or not is_empty(held.connection):
        return
    was = ", ".join(place)
    standing = standing_of(work.settings, work.target, current)
    if standing.is_protected and (current.mark in NAMED or standing.is_contradicted):
        raise RefusedError(
            f"{work.target.shown}: the ledger says that it is at {was}, and there is no table in it; {standing.why}",
            hint="restore a backup: `invoke backups`; to build it anew, empty: `invoke stamp base`, then `invoke migrate`",
        )
    say(f"note:  {current.database} was at {was} and was emptied by hand; it is built anew from base")
    record(work, held.connection, say, place, "reset", reason="emptied by hand")
