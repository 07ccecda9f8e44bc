"""`invoke check`: do the models and the database agree?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, Target, look, reach_database, read_project, search_path_of
from stillroom.commands._heads import read_fork
from stillroom.commands._strangers import require_known_here
from stillroom.core.heads import Fork
from stillroom.core.operations import Operation
from stillroom.core.plan import plan_upgrade
from stillroom.errors import AnswerNoError, RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.commands._drift import DriftChecked
    from stillroom.edges.alembic.compare import Compared
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class ModelsChecked:
    """What would have to be done so that the database matches the models; nothing, when they agree.

    Args:
        database: As it is shown.
        differences: The operations.
        notes: Modules whose tables nobody compared.
    """

    database: str
    differences: tuple[Operation, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """6 when they differ."""
        return 6 if self.differences else 0


@dataclass(frozen=True)
class HeadsChecked:
    """Whether the history has one end; where it has several, the chain to each."""

    heads: tuple[str, ...]
    fork: Fork | None = None

    @property
    def exit_code(self) -> int:
        """6 when there are several heads."""
        return 6 if len(self.heads) > 1 else 0


def check_models(
    settings: Settings, terminal: Terminal, *, only_heads: bool = False, drift: bool = False
) -> ModelsChecked | HeadsChecked | DriftChecked:
    """Compare the models with the database, or the database with its history; nothing is locked or changed.

    Args:
        settings: Where the database is.
        terminal: Told when the embedded server had to be started.
        only_heads: Only count the heads; needs no database.
        drift: Compare the live schema with what its revisions build, and leave the models out of it.

    Raises:
        SettingsError: Settings that cannot be used, or two questions at once.
        RefusedError: A file cannot be read, or the models do not import.
        AnswerNoError: Revisions are pending, so there is nothing to compare yet.
        DatabaseError: The server did not answer.
        InterruptedRunError: A signal, while the history was built.
    """
    if drift and only_heads:
        raise SettingsError(
            "--heads and --drift are two questions", hint="`invoke check --drift`, or `invoke check --heads`"
        )
    if drift:
        from stillroom.commands._drift import check_drift

        return check_drift(settings, terminal)
    project = read_project(settings, imports=not only_heads)
    if only_heads:
        heads = project.history.heads
        return HeadsChecked(heads, read_fork(settings, project) if len(heads) > 1 else None)
    database = reach_database(settings, terminal)
    current = look(database, project, settings, command="check", only_looks=True)
    require_known_here(settings, project, database, current)
    pending = plan_upgrade(project.history, current.revisions).steps
    if pending:
        count = f"{len(pending)} revisions are" if len(pending) > 1 else "1 revision is"
        raise AnswerNoError(f"{database.shown}: {count} pending: {', '.join(pending)}", hint="`invoke migrate` first")
    found = compare(settings, database, project)
    return ModelsChecked(database.shown, found.operations, found.notes)


def compare(settings: Settings, database: Target, project: Project) -> Compared:
    """Compare on a connection of its own.

    Raises:
        RefusedError: The models do not import, or have no tables at all.
        DatabaseError: The server did not answer.
    """
    from stillroom.edges.alembic.compare import compare_models
    from stillroom.edges.postgres.connect import connect

    with closing(connect(database.url, command="check")) as connection:
        found = compare_models(project.layout, connection, search_path=search_path_of(settings, database))
    if not found.tables:
        raise RefusedError(
            "the models have no tables", hint="import the modules that define them where env.py finds the metadata"
        )
    return found
