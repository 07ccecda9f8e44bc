"""A step's row of the ledger, entered in the step's own transaction: both are there, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stillroom.core.ledger.entries import Entry
from stillroom.core.ledger.scripts import hash_script, hash_tree
from stillroom.core.script_parsing import HeaderError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.edges.alembic.attempt import Attempt
    from stillroom.edges.postgres.ledger import Ledger

OUTCOMES = {"upgrade": "applied", "downgrade": "undone"}


@dataclass(frozen=True)
class Entering:
    """What is entered of one step.

    Args:
        ledger: Where.
        script: Alembic's, of the revision.
        direction: "upgrade" or "downgrade".
        started_at: UTC.
    """

    ledger: Ledger
    script: Any
    direction: str
    started_at: datetime

    def enter(self, raw: PsycopgConnection, attempt: Attempt) -> None:
        """Add the row to the transaction of the step, which commits it.

        Raises:
            psycopg2.Error: The server refused.
        """
        with raw.cursor() as cursor:
            self.ledger.enter(cursor, self.entry(OUTCOMES[self.direction], attempt))
            if attempt.journal:
                attempt.journal.close(cursor, OUTCOMES[self.direction])

    def entry(self, outcome: str, attempt: Attempt, *, sqlstate: str = "") -> Entry:
        """Make the row; the script is hashed as it lies there now."""
        now = datetime.now(UTC)
        data = _read(self.script)
        return Entry(
            "step",
            outcome,
            self.ledger.facts,
            self.started_at,
            now,
            round((now - self.started_at).total_seconds(), 3),
            direction=self.direction,
            revision=self.script.revision,
            parents=tuple(sorted(set(self.script._all_down_revisions))),
            script=hash_script(data),
            tree=_tree(data),
            sql=attempt.sent.sha256,
            sqlstate=sqlstate,
        )


def _read(script: Any) -> bytes:
    try:
        return Path(script.module.__file__).read_bytes()
    except OSError:
        return b""  # taken away since it was imported


def _tree(data: bytes) -> str:
    try:
        return hash_tree(data)
    except HeaderError:
        return ""
