"""The whole ledger, read for the tasks that show, check or accept what is in it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, Target, look_on
from stillroom.core.ledger.entries import Row

if TYPE_CHECKING:
    from stillroom.edges.postgres.current import Current
    from stillroom.settings import Settings


@dataclass(frozen=True)
class WholeLedger:
    """What was read.

    Args:
        current: Where the database stands.
        rows: All rows, in order.
        missing: Why there are none; empty when there are.
    """

    current: Current
    rows: tuple[Row, ...]
    missing: str = ""


def read_all(settings: Settings, project: Project, target: Target, *, command: str) -> WholeLedger:
    """Read the version table and all rows of the ledger.

    Raises:
        HeldError: Another session has locked one of them; it is named.
        DatabaseError: The server did not answer, or refused.
    """
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.errors import translated
    from stillroom.edges.postgres.held import naming_holders
    from stillroom.edges.postgres.ledger import TABLE, can_read, read_rows
    from stillroom.edges.postgres.own_schema import transaction
    from stillroom.edges.postgres.trust import find_distrust

    with closing(connect(target.url, command=command)) as connection:
        current = look_on(connection, target, project, settings, only_looks=True)
        if not current.has_ledger:
            why = "STILLROOM_LEDGER is off" if settings.ledger == "off" else "the first `invoke migrate` makes it"
            return WholeLedger(current, (), f"there is no ledger: {why}")
        held = naming_holders(connection, "ledger")
        with translated("reading the ledger"), held, connection.cursor() as cursor, transaction(cursor, reads=True):
            if not can_read(cursor, current.role):
                problem = find_distrust(cursor, TABLE, current.role)[0] or f"may not be read by {current.role}"
                return WholeLedger(current, (), f"{TABLE} {problem}")
            return WholeLedger(current, read_rows(cursor))
