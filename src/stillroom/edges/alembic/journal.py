"""The journal of the step that runs: written in the transactions that the step itself commits, so that both are there, or neither.

A step that is resumed runs its function again from the top; what was done is passed over, as long as it is sent in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stillroom.core.journal import DONE, STARTED, OpenStep, Sent, Wanted, changes_rows, digest_of, find_wanted
from stillroom.core.sent_sql import hide_values
from stillroom.edges.alembic.seen import DishonestStepError
from stillroom.edges.postgres.journal import close_step, open_step, with_those_before, write_statements
from stillroom.edges.seams import seam

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import cursor as Cursor

    from stillroom.core.ledger.entries import Facts

LENGTH = 200


@dataclass
class Journal:
    """What one step has sent.

    Args:
        facts: Of the run.
        revision: The step's.
        direction: "upgrade" or "downgrade".
        id: Of its row; None until a part of the step is committed.
        done: What an earlier try has done, in order, while that is passed over.
        place: Of the next statement.
    """

    facts: Facts
    revision: str
    direction: str
    id: int | None = None
    done: tuple[Sent, ...] = ()
    place: int = 0
    _pending: list[Sent] = field(default_factory=list)
    _running: Sent | None = None
    _is_known: bool = False

    @classmethod
    def resuming(cls, facts: Facts, step: OpenStep) -> Journal:
        """Go on with a step that was cut short; what it has done is passed over."""
        done = tuple(each for each in step.statements if each.state == DONE or each.rows is not None)
        return cls(facts, step.revision, step.direction, step.id, done)

    def find_known(self, statement: str, parameters: Any) -> Sent | None:
        """Find the statement among what an earlier try has done; None when all of that has been passed.

        Raises:
            DishonestStepError: The step does not send what it has done before.
        """
        if self.place >= len(self.done):
            return None
        known = self.done[self.place]
        if known.digest != digest_of(statement, parameters):
            now = hide_values(statement, length=LENGTH)
            what = f"and is `{now}`" if now != known.shown else "with other values"
            raise DishonestStepError(
                f"it does not send what an earlier try has done: statement {self.place + 1} was `{known.shown}`, {what}"
            )
        return known

    def passes_over(self, statement: str, parameters: Any) -> bool:
        """Tell whether a statement was done, and is not to be sent again; what only read is.

        Raises:
            DishonestStepError: The step does not send what it has done before.
        """
        known = self.find_known(statement, parameters)
        self._is_known = known is not None
        return known is not None and not known.runs_again

    def begin(self, cursor: Cursor, statement: str, parameters: Any, *, is_alone: bool) -> None:
        """Enter a statement outside of a transaction before it is sent."""
        if self._is_known:
            return
        wanted = with_those_before(cursor, find_wanted(statement)) if is_alone else None
        self._running = self._sent(statement, parameters, state=STARTED, wanted=wanted)
        self._write(cursor, [self._running])
        seam("statement entered")

    def end_within(self, cursor: Cursor) -> None:
        """Enter, in the transaction that it runs in, that the statement is done."""
        if self._running is not None:
            self._write(cursor, [replace(self._running, state=DONE, wanted=None)])

    def note(self, cursor: Cursor, statement: str, parameters: Any, *, is_autocommit: bool) -> None:
        """Note that a statement has ended well, after it did."""
        returns = cursor.description is not None
        if self._is_known:
            self._is_known = False
        elif not is_autocommit:
            self._pending.append(self._sent(statement, parameters, state=DONE, returns=returns))
        elif self._running is not None:
            with cursor.connection.cursor() as own:
                self._write(own, [replace(self._running, state=DONE, returns=returns)])
            seam("statement done")
        self._running = None
        self.place += 1

    def commits(self, cursor: Cursor) -> None:
        """Enter what the transaction has done, in that transaction, which is about to be committed."""
        pending, self._pending = self._pending, []
        self._write(cursor, pending)
        seam("journal written")

    def require_all_passed(self) -> None:
        """Refuse a step that has ended and did not send all that an earlier try has done.

        Raises:
            DishonestStepError: Something is left.
        """
        if self.place < len(self.done):
            raise DishonestStepError(
                f"it does not send what an earlier try has done: statement {self.place + 1}, `{self.done[self.place].shown}`, is missing"
            )

    def forget(self) -> None:
        """Begin anew: the transaction was rolled back, and nothing of the step is committed."""
        self._pending, self._running, self._is_known, self.place = [], None, False, 0

    def close(self, cursor: Cursor, outcome: str) -> None:
        """Say in the step's last transaction that it has ended."""
        if self.id is not None:
            close_step(cursor, self.id, outcome)

    def write(self, cursor: Cursor, statement: Sent) -> None:
        """Write one statement that keeps count of itself: a backfill's."""
        self._write(cursor, [statement])

    def _sent(
        self, statement: str, parameters: Any, *, state: str, returns: bool = False, wanted: Wanted | None = None
    ) -> Sent:
        shown = hide_values(statement, length=LENGTH)
        digest, changes = digest_of(statement, parameters), changes_rows(statement)
        return Sent(self.place, digest, shown, state, returns, changes, wanted)

    def _write(self, cursor: Cursor, statements: Iterable[Sent]) -> None:
        if self.id is None:
            facts = self.facts
            self.id = open_step(cursor, facts.run, facts.actor, facts.host, self.revision, self.direction)
        write_statements(cursor, self.id, statements)
