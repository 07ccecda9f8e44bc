"""Whether a schema really is at a revision: by the models, or by building that revision beside it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._database import Target, search_path_of
from stillroom.commands._steps import Work, run_under_lock
from stillroom.core.plan import Plan
from stillroom.errors import InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal


@dataclass(frozen=True)
class Proof:
    """Whether the schema is at a revision: how that was found, and what differs."""

    how: str
    differences: tuple[str, ...]
    is_possible: bool = True


def prove(work: Work, terminal: Terminal, tops: tuple[str, ...]) -> Proof:
    """Look whether the schema is at these revisions; nothing in the database is changed.

    Args:
        work: The database that is asked about.
        terminal: Told when a scratch database is built.
        tops: The revisions; none for base.

    Raises:
        InterruptedRunError: A signal, while that revision was built.
        DatabaseError: The server did not answer, or refused.
    """
    history = work.project.history
    if tops and set(tops) == set(history.heads):
        from stillroom.commands.check import find_differences

        try:
            found = find_differences(work.settings, work.target, work.project)
        except StillroomError as error:
            return Proof(f"the models cannot be compared: {error.message}", (), is_possible=False)
        return Proof("models and database agree", tuple(each.text for each in found))
    return _prove_in_scratch(work, terminal, tops)


def _prove_in_scratch(work: Work, terminal: Terminal, tops: tuple[str, ...]) -> Proof:
    """Build the revision in a scratch database, and compare the two catalogs."""
    from stillroom.edges.postgres.scratch import scratch_database

    with scratch_database(work.target.url, command="stamp") as name:
        if name is None:
            return Proof("the role may not create a scratch database to build that revision in", (), is_possible=False)
        terminal.say(f"building {', '.join(tops) or 'base'} in {name} to compare")
        scratch = replace(work, target=Target(replace(work.target.url, name=name), work.target.is_embedded))
        history = work.project.history
        steps = tuple(each for each in history.order if each in history.closure(tops))
        plan = Plan("upgrade", steps, (), tops)
        try:
            run_under_lock(scratch, terminal, lambda held, _: _build(scratch, held, plan))
        except InterruptedRunError:
            again = " ".join(tops) or "base"
            raise InterruptedRunError(
                "interrupted while that revision was built; nothing was touched",
                hint=f"`invoke stamp {again}` starts anew",
            ) from None
        except StillroomError as error:
            return Proof(f"that revision cannot be built from base: {error.message}", (), is_possible=False)
        wanted, found = _catalog(scratch), _catalog(work)
    missing = [f"missing: {each}" for each in sorted(wanted - found)]
    extra = [f"not in that revision: {each}" for each in sorted(found - wanted)]
    return Proof("the schema equals that revision built from base", (*missing, *extra))


def _build(work: Work, held: Migrating, plan: Plan) -> int:
    from stillroom.edges.alembic.steps import StepRun, run_steps

    return (
        len(run_steps(StepRun(held.connection, plan, work.limits, lambda _: None), work.project.layout))
        if plan.steps
        else 0
    )


def _catalog(work: Work) -> frozenset[str]:
    from stillroom.edges.postgres.catalog import read_catalog
    from stillroom.edges.postgres.connect import connect

    with closing(connect(work.target.url, command="stamp")) as connection:
        path = search_path_of(work.settings, work.target)
        return read_catalog(connection, version_table=work.project.layout.version_table, search_path=path)
