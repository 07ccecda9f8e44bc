"""A revision built from base in a scratch database, to compare a live schema with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._database import Target, search_path_of
from stillroom.commands._steps import Work, run_under_lock
from stillroom.core.plan import Plan
from stillroom.errors import InterruptedRunError, RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.core.schema_objects import Schema
    from stillroom.core.urls import DatabaseUrl
    from stillroom.edges.postgres.catalog import Surface
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal


SAME_SERVER = "a scratch database on the same server"


@dataclass(frozen=True)
class Built:
    """A scratch database with the revisions in it.

    Args:
        work: About the scratch database.
        schema: What the revisions made.
        major: The major version of its server.
    """

    work: Work
    schema: Schema
    major: int


def read_live(work: Work) -> Surface:
    """Read the schema of the database that the work is about; nothing is locked or changed.

    Raises:
        DatabaseError: The server did not answer, or refused.
    """
    from stillroom.edges.postgres.catalog import read_surface
    from stillroom.edges.postgres.connect import connect

    with closing(connect(work.target.url, command=work.command)) as connection:
        path = search_path_of(work.settings, work.target)
        return read_surface(connection, version_table=work.project.layout.version_table, search_path=path)


def build_revisions(
    work: Work,
    terminal: Terminal,
    tops: tuple[str, ...],
    live: Surface,
    scratch: DatabaseUrl,
    *,
    purpose: str = "to compare",
) -> Built:
    """Build revisions in an empty database, on the search path and in the schemas of the live one.

    Args:
        work: About the live database.
        terminal: Told when it begins.
        tops: The revisions; none for base.
        live: What the live database is like.
        scratch: The empty database.
        purpose: What for, as it is said.

    Raises:
        InterruptedRunError: A signal.
        StillroomError: A revision failed.
    """
    history = work.project.history
    terminal.say(f"building {', '.join(tops) or 'base'} in {scratch.name} {purpose}")
    beside = prepare_scratch(work, live, scratch)
    steps = tuple(each for each in history.order if each in history.closure(tops))
    if steps:
        plan = Plan("upgrade", steps, (), tops)
        run_under_lock(beside, terminal, lambda held, _: _build(beside, held, plan))
    surface = read_live(beside)
    return Built(beside, surface.schema, surface.major)


def prepare_scratch(work: Work, live: Surface, scratch: DatabaseUrl) -> Work:
    """Make the schemas that the live database had before its first revision, and pin its search path.

    Args:
        work: About the live database.
        live: What that is like.
        scratch: The empty database.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.scratch import make_schemas

    named = {*live.path, *work.settings.schemas, work.project.layout.version_table_schema}
    make_schemas(scratch, sorted(live.schema.spaces & named), command=work.command)
    limits = replace(work.limits, search_path=live.search_path)
    return replace(work, target=Target(scratch, work.target.is_embedded), limits=limits)


def _build(work: Work, held: Migrating, plan: Plan) -> int:
    from stillroom.edges.alembic.steps import StepRun, run_steps

    return len(run_steps(StepRun(held.connection, plan, work.limits, lambda _: None), work.project.layout))


@contextmanager
def scratch_somewhere(
    work: Work, terminal: Terminal, live: Surface, *, apart: bool = False
) -> Iterator[tuple[DatabaseUrl, str]]:
    """Make a scratch database on the same server, else on the embedded one, and say which; it is dropped afterwards.

    Args:
        work: About the live database.
        terminal: Told when the embedded server had to be started.
        live: What the live database is like.
        apart: On the embedded server where it can be had there.

    Raises:
        RefusedError: Neither can be had.
        DatabaseError: A server refused.
    """
    from stillroom.edges.postgres.scratch import scratch_database

    url = work.target.url
    found = _start_if_possible(work, terminal, live.major) if apart and not work.target.is_embedded else None
    if found is None:
        with scratch_database(url, command=work.command) as name:
            if name is not None:
                yield replace(url, name=name), SAME_SERVER
                return
    embedded, version = found or _start_embedded(work, terminal, live.major)
    with scratch_database(embedded, command=work.command) as name:
        if name is None:
            raise AssertionError("unreachable: the embedded server's role is its superuser")
        yield replace(embedded, name=name), f"a scratch database on the embedded PostgreSQL {version}"


def _start_if_possible(work: Work, terminal: Terminal, major: int) -> tuple[DatabaseUrl, str] | None:
    try:
        return _start_embedded(work, terminal, major)
    except RefusedError:
        return None


def _start_embedded(work: Work, terminal: Terminal, major: int) -> tuple[DatabaseUrl, str]:
    from stillroom.commands._database import reach_database
    from stillroom.edges.embedded import find_binaries

    hint = f"let the role create databases: {may_create(work)}"
    why = f"{work.target.shown}: the role may not create a scratch database there"
    try:
        binaries = find_binaries(work.settings.pg_bin)
        if binaries.major < major:
            text = f"{why}, and the embedded PostgreSQL {binaries.version} is older than its {major}"
            raise RefusedError(text, hint=hint)
        found = reach_database(replace(work.settings, database=None, migration_database=None), terminal)
    except RefusedError:
        raise
    except StillroomError as error:
        raise RefusedError(f"{why}, and the embedded server cannot run here: {error.message}", hint=hint) from None
    return found.url, binaries.version


def may_create(work: Work) -> str:
    """Name the statement that lets the role create a scratch database on its own server."""
    return f'`ALTER ROLE "{work.target.url.user}" CREATEDB;`' if work.target.url.user else "`ALTER ROLE … CREATEDB;`"


def as_interrupted(error: InterruptedRunError, again: str) -> InterruptedRunError:
    """Say of an interruption what was under way: nothing of the live database."""
    return InterruptedRunError(
        "interrupted while that revision was built; nothing was touched", hint=f"`invoke {again}` starts anew"
    )
