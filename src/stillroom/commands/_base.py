"""What a new revision is based on: one head, and a database that is at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, Target, limits_of, look, read_project, standing_of
from stillroom.commands._strangers import require_known_here
from stillroom.core.guard import Standing, require_allowed
from stillroom.core.plan import HEADS, plan_upgrade
from stillroom.edges.versions_folder import require_folder
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

SHOWN = 5


@dataclass(frozen=True)
class Base:
    """The ground a new revision stands on.

    Args:
        project: Its files, as they are now.
        target: The database the models are compared with.
        head: The revision that the new one follows; None for the first.
        pending: Revisions the database does not have yet.
        standing: What is known about the danger of touching the database.
    """

    project: Project
    target: Target
    head: str | None
    pending: tuple[str, ...]
    standing: Standing

    @property
    def folder(self) -> Path:
        """Where the new file goes: to its parent, or to the first version folder."""
        parent = self.project.history.revisions[self.head].path if self.head else ""
        return (self.project.layout.root / parent).parent if parent else self.project.layout.version_folders[0]

    @property
    def pending_text(self) -> str:
        """The pending revisions with their messages."""
        known = self.project.history.revisions
        shown = [f"{each} {known[each].message}".strip() for each in self.pending[:SHOWN]]
        more = len(self.pending) - SHOWN
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def read_base(settings: Settings, target: Target, terminal: Terminal) -> Base:
    """Read files and database, and refuse what no revision can be put on; no lock is taken.

    Raises:
        RefusedError: Several heads, a database at an unknown revision, a versions folder that cannot be used.
        DatabaseError: The server did not answer.
    """
    project = read_project(settings)
    head = require_one_head(settings, project)
    current = look(target, project, settings, command="make-migration")
    require_known_here(settings, project, target, current)
    plan = plan_upgrade(project.history, current.revisions)
    base = Base(project, target, head, plan.steps, standing_of(settings, target, current, terminal))
    require_folder(base.folder, settings.root)
    return base


def require_one_head(settings: Settings, project: Project) -> str | None:
    """Name the head; None without any revision.

    Raises:
        RefusedError: There are several: which of them the new one follows is not for us to guess.
    """
    heads = project.history.heads
    if len(heads) > 1:
        from stillroom.commands._heads import read_fork

        consequence = "which of them the new revision follows is not for us to guess"
        message = read_fork(settings, project).text(consequence)
        raise RefusedError(message, hint="`invoke heads.merge` joins them, then the same command again")
    return heads[0] if heads else None


def offer_to_migrate(base: Base, settings: Settings, terminal: Terminal) -> None:
    """Ask whether to apply what is pending, and do it; without anything pending nothing is asked.

    Raises:
        RefusedError: The database is protected, or the answer was no.
    """
    if not base.pending:
        return
    _require_unprotected(base)
    count = len(base.pending)
    terminal.say(f"{base.target.shown}: {count} revision{'s' if count > 1 else ''} pending: {base.pending_text}")
    if not terminal.confirm("the models can be compared only with a database that is up to date; migrate it now?"):
        raise _pending(base)
    from stillroom.commands._steps import Work
    from stillroom.commands.migrate import upgrade_under_lock

    work = Work(settings, base.project, base.target, limits_of(settings, base.target), "make-migration")
    upgrade_under_lock(work, terminal, target=HEADS)


def require_up_to_date(base: Base, known: set[str]) -> None:
    """Refuse a database that lacks revisions.

    Args:
        base: As it is under the lock.
        known: The revisions that were there when the lock was waited for; empty without a wait.

    Raises:
        RefusedError: Some are pending; they are named, and those that came in meanwhile are told apart.
    """
    if base.pending and known and known.isdisjoint(base.pending):
        raise RefusedError(
            f"another make-migration has just written {base.pending_text}, which {base.target.shown} does not have yet; "
            "nothing was written",
            hint="`invoke migrate`, then the same command again: it compares with what that revision makes",
        )
    if base.pending:
        _require_unprotected(base)
        raise _pending(base)


def _require_unprotected(base: Base) -> None:
    act = "migrate offered by make-migration"
    require_allowed(act, base.standing, command="make-migration", detail=f"pending: {base.pending_text}")


def _pending(base: Base) -> RefusedError:
    message = f"{base.target.shown} is not up to date; pending: {base.pending_text}"
    return RefusedError(message, hint="`invoke migrate`, then the same command again")
