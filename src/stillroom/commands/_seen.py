"""Whether anybody may have applied a chain of revisions: asked of the database, its ledger, and git."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, reach_database
from stillroom.commands._ledger import read_all

if TYPE_CHECKING:
    from stillroom.commands._ledger import WholeLedger
    from stillroom.edges.git_reading import Git
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Seen:
    """Where a chain was seen.

    Args:
        reasons: Why it must not be moved; none when it was seen nowhere.
        notes: What is worth knowing before it is.
    """

    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Witness:
    """The database of the settings as it was read once, for as many chains as there are."""

    settings: Settings
    project: Project
    shown: str
    ledger: WholeLedger

    def look_for(self, chain: Sequence[str]) -> Seen:
        """Say where a chain of revisions was seen, by the database, the ledger or git."""
        from stillroom.edges.git_reading import Git

        git = _ask_git(Git(self.settings.root, self.settings.child_environment), self.project, chain)
        return Seen((*self._applied(chain), *git.reasons), (*self._unsure(), *git.notes))

    def _applied(self, chain: Sequence[str]) -> tuple[str, ...]:
        history, current = self.project.history, self.ledger.current.revisions
        unknown = [each for each in current if each not in history.revisions]
        if unknown:
            return (f"{self.shown} is at {', '.join(unknown)}, which has no file here and may follow it",)
        applied = history.closure(current) & set(chain)
        if applied:
            return (f"{', '.join(sorted(applied))} is applied on {self.shown}",)
        entered = {row.entry.revision: row.entry for row in self.ledger.rows if row.entry.revision in chain}
        found = [
            f"the ledger of {self.shown} knows {each.revision}: {each.outcome} {each.ended_at:%Y-%m-%d %H:%M} UTC by {each.facts.actor} on {each.facts.host}"
            for each in entered.values()
        ]
        if self.ledger.current.has_ledger and self.ledger.missing:
            found.append(f"the ledger of {self.shown} cannot be read: {self.ledger.missing}")
        return tuple(found)

    def _unsure(self) -> tuple[str, ...]:
        if self.ledger.current.has_ledger:
            return ()
        return (f"{self.shown} has no ledger, so only its version table was asked",)


def call_witness(settings: Settings, terminal: Terminal, project: Project, *, command: str) -> Witness:
    """Read the database of the settings.

    Raises:
        SettingsError: Settings that cannot be used.
        DatabaseError: The server did not answer.
    """
    target = reach_database(settings, terminal)
    return Witness(settings, project, target.shown, read_all(settings, project, target, command=command))


def _ask_git(git: Git, project: Project, chain: Sequence[str]) -> Seen:
    from stillroom.edges.git_branches import find_holders
    from stillroom.edges.git_log import read_added

    problem = git.find_problem()
    if problem:
        return Seen(notes=(f"{problem}, so only the database was asked",))
    paths = [project.history.revisions[each].path for each in chain]
    reasons, notes = [], []
    for path, added in read_added(git, paths).items():
        holders = None if added.is_cut else find_holders(git, added.commit)
        if added.is_cut:
            reasons.append(f"the clone is shallow, so git does not tell who has {path}: `git fetch --unshallow`")
        elif holders is None:
            reasons.append(f"git does not tell which branches have {path}")
        elif holders.main:
            reasons.append(f"{path} is on {', '.join(holders.main)}, from where others apply it")
        elif holders.foreign:
            reasons.append(f"{path} is on {', '.join(holders.foreign)}, where others may have applied it")
        elif holders.upstream:
            notes.append(f"{path} was pushed to {holders.upstream}: who has applied it there must roll back first")
    if git.ran_out:
        reasons.append("git did not answer in time")
    return Seen(tuple(reasons), tuple(notes))
