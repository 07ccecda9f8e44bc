"""`invoke check --drift`: is the live schema what the history produces?"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._adoption import require_no_tables
from stillroom.commands._comparing import compare
from stillroom.commands._database import limits_of, look, reach_database, read_project
from stillroom.commands._scratch import (
    SAME_SERVER,
    Built,
    as_interrupted,
    build_revisions,
    may_create,
    read_live,
    scratch_somewhere,
)
from stillroom.commands._steps import Work
from stillroom.commands._strangers import require_known_here
from stillroom.core.drift import Drift
from stillroom.core.mending import Difference, plan_mending
from stillroom.core.plan import plan_upgrade
from stillroom.errors import DatabaseError, InterruptedRunError, RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.edges.postgres.catalog import Surface
    from stillroom.edges.postgres.current import Current
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class DriftChecked:
    """What would have to be done so that the live schema is what the history produces; nothing, when it is.

    Args:
        database: Its name and server.
        revisions: Where it is, and what was built to compare with.
        pending: Revisions it does not have yet; they are no drift.
        built_in: Where the history was built.
        left_out: Schemas that the history does not touch, so that nothing in them was compared.
        differences: In an order in which their statements work.
    """

    database: str
    revisions: tuple[str, ...]
    pending: tuple[str, ...]
    built_in: str
    left_out: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def exit_code(self) -> int:
        """6 when it drifted."""
        return 6 if self.differences else 0


def check_drift(settings: Settings, terminal: Terminal) -> DriftChecked:
    """Compare the live schema with its revisions built from base; the live database is only read.

    Args:
        settings: Where the database is.
        terminal: Told what is built where.

    Raises:
        SettingsError: Settings that cannot be used.
        UnknownRevisionError: The database is at a revision that is not here.
        RefusedError: No revision is recorded although the history's tables are there, the history cannot be built, or
            there is no server to build it on.
        DatabaseError: A server did not answer, or refused.
        InterruptedRunError: A signal; the scratch database is dropped.
    """
    project = read_project(settings)
    database = reach_database(settings, terminal)
    work = Work(settings, project, database, limits_of(settings, database), "check")
    current = look(database, project, settings, command="check", only_looks=True)
    require_known_here(settings, project, database, current)
    pending = plan_upgrade(project.history, current.revisions).steps
    live = read_live(work)
    _require_standing(work, current, live)
    require_no_tables(work, plan_upgrade(project.history, current.revisions), terminal, proves=False)
    with scratch_somewhere(work, terminal, live) as (scratch, place):
        try:
            built = build_revisions(work, terminal, current.revisions, live, scratch)
        except InterruptedRunError as error:
            raise as_interrupted(error, "check --drift") from None
        except DatabaseError as error:
            raise _not_built(work, error, current.revisions, place) from None
        drift = _compare(live, built)
    spaces = built.schema.spaces
    return DriftChecked(
        database.shown,
        current.revisions,
        pending,
        place,
        tuple(sorted(live.schema.spaces - spaces)),
        plan_mending(drift),
    )


def _require_standing(work: Work, current: Current, live: Surface) -> None:
    """Refuse what the history says nothing about.

    Raises:
        RefusedError: The database moved meanwhile, or it has tables and no version table.
    """
    if look(work.target, work.project, work.settings, command="check", only_looks=True).revisions != current.revisions:
        raise RefusedError(
            f"{current.database}: a migration moved it while its schema was read",
            hint="`invoke check --drift` looks again",
        )
    if not current.has_version_table and any(kind == "table" for kind, _ in live.schema.objects):
        raise RefusedError(
            f"{current.database} has tables and no version table, so nothing says which revision it should be at",
            hint="`invoke stamp <revision>` compares with that revision and writes it",
        )


def _not_built(work: Work, error: StillroomError, tops: tuple[str, ...], place: str) -> RefusedError:
    hint = "a revision must run on an empty database; correct the one that does not"
    if place != SAME_SERVER:
        hint = f"where that server lacks an extension or a role, build on the database's own: {may_create(work)}"
    return RefusedError(f"{', '.join(tops)} cannot be built in {place}: {error.message}", hint=hint)


def _compare(live: Surface, built: Built) -> Drift:
    """Compare in the schemas that the revisions made things in, and ask which types cannot be cast."""
    from stillroom.edges.postgres.asking import find_uncastable
    from stillroom.edges.postgres.connect import connect

    with closing(connect(built.work.target.url, command="check")) as connection:
        drift = compare(connection, live, built.schema, built.major, built.schema.spaces)
        return replace(drift, uncastable=find_uncastable(connection, drift.retypings)) if drift.changes else drift
