"""What a rehearsal must not do: statements whose effect reaches past the copy, on a server that others use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stillroom.core.cluster_wide import find_cluster_wide, find_foreign_write
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._copying import Copy
    from stillroom.edges.alembic.steps import StepRun


@dataclass
class Reach:
    """What the statements of a rehearsal reach.

    Args:
        copy: Where they are run.
        original: The database that they are meant for, in words.
        foreign: The names of foreign tables: their rows are the same from a copy.
        run: The run under way.
        refused: The first statement that was not sent.
        effects: Those that were let happen, on a server of the project's own.
    """

    copy: Copy
    original: str
    foreign: frozenset[str] = frozenset()
    run: StepRun | None = None
    refused: RefusedError | None = None
    effects: dict[str, None] = field(default_factory=dict)

    def look(self, sql: str) -> None:
        """Be shown a statement before it is sent.

        Raises:
            RefusedError: It reaches past the copy, and others use what it reaches.
        """
        remote = find_foreign_write(sql, self.foreign)
        if remote:
            raise self._refuse(f"{remote} reaches past {self.copy.where}, to rows of another server")
        effect = find_cluster_wide(sql)
        if effect and self.copy.is_shared:
            raise self._refuse(f"{effect} reaches past {self.copy.where}, which others use")
        if effect:
            self.effects[effect] = None

    def _refuse(self, why: str) -> RefusedError:
        revision = self.run.running if self.run else ""
        self.refused = self.refused or RefusedError(
            f"{revision}: {why}; it was not sent, and {self.original} was not touched",
            hint="such a revision cannot be rehearsed there; once it is read: `invoke backup-then-migrate --no-rehearse`",
        )
        return self.refused

    def require_inside(self) -> None:
        """Refuse a run that passed over the refusal of one of its statements.

        Raises:
            RefusedError: The first one.
        """
        if self.refused is not None:
            raise self.refused
