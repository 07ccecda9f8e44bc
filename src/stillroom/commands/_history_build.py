"""The whole history built once beside a database, and compared with it after each revision."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._comparing import compare, own_spaces
from stillroom.commands._scratch import prepare_scratch, read_live, scratch_somewhere
from stillroom.commands._steps import run_under_lock
from stillroom.core.mending import plan_mending
from stillroom.core.plan import Plan
from stillroom.errors import InterruptedRunError, RefusedError, StillroomError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.catalog import Surface
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal

SAMPLE = 5


@dataclass(frozen=True)
class Compared:
    """How the schema stands to one revision.

    Args:
        revision: What `stamp` would be given.
        count: How many objects of the two schemas differ.
        sample: Up to five of them, in words.
    """

    revision: str
    count: int
    sample: tuple[str, ...]


@dataclass(frozen=True)
class Built:
    """The revisions that could be compared, in the order of the history.

    Args:
        compared: Each revision that was built.
        problem: Why there are no more; empty when the whole history was built.
    """

    compared: tuple[Compared, ...]
    problem: str = ""


def build_history(work: Work, terminal: Terminal) -> Built:
    """Build every revision in a scratch database, and compare the schema with each.

    Args:
        work: The database that is asked about; nothing in it is changed.
        terminal: Told that it is done.

    Raises:
        InterruptedRunError: A signal.
        DatabaseError: The server did not answer, or refused.
    """
    live = read_live(work)
    with ExitStack() as stack:
        try:
            url, _ = stack.enter_context(scratch_somewhere(work, terminal, live))
        except RefusedError as error:
            return Built((), error.message.removeprefix(f"{work.target.shown}: "))
        terminal.say(f"building the history in {url.name} to find out which revision the schema is at")
        try:
            scratch = prepare_scratch(work, live, url)
            built = run_under_lock(scratch, terminal, lambda held, _: _build(scratch, held, live))
        except InterruptedRunError:
            raise InterruptedRunError(
                "interrupted while the history was built beside the database; nothing was touched",
                hint=f"`invoke {work.command}` starts anew",
            ) from None
        except StillroomError as error:
            return Built((), _cannot(error))
    assert isinstance(built, Built)
    return built


def _build(work: Work, held: Migrating, live: Surface) -> Built:
    """Run the whole history; each revision is compared as soon as it is committed, on a connection of its own."""
    from stillroom.edges.alembic.steps import StepRun, run_steps
    from stillroom.edges.postgres.connect import connect

    history = work.project.history
    compared: dict[int, Compared] = {}
    plan = Plan("upgrade", history.order, (), history.heads)
    problem = ""
    with closing(connect(work.target.url, command=work.command)) as connection:

        def look(_: str) -> None:
            done = tuple(each.revision for each in run.done)
            tops = history.tops(done)
            # Several rows at once are no revision that `stamp` could be given, unless they are all the heads.
            name = tops[0] if len(tops) == 1 else "heads" if tops == history.heads else ""
            if name and len(done) not in compared:
                compared[len(done)] = _compare(work, connection, name, live)

        run = StepRun(held.connection, plan, work.limits, look)
        try:
            run_steps(run, work.project.layout)
        except InterruptedRunError:
            raise
        except StillroomError as error:
            problem = _cannot(error)
    return Built(tuple(compared.values()), problem)


def _cannot(error: StillroomError) -> str:
    return f"the history cannot be built from base: {error.message}"


def _compare(work: Work, connection: Connection, revision: str, live: Surface) -> Compared:
    """Compare what is built so far; what lies in schemas of somebody else is left out."""
    from stillroom.edges.postgres.catalog import read_schema

    built = read_schema(connection, version_table=work.project.layout.version_table)
    spaces = own_spaces(work.project, live.schema, built)
    drift = compare(connection, live, built, connection.info.server_version // 10_000, spaces)
    differing = tuple(each.text for each in plan_mending(drift))
    return Compared(revision, len(differing), differing[:SAMPLE])
