"""Whether a schema really is at a revision: by building that revision beside it, or by the models where that cannot be."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._comparing import compare, own_spaces
from stillroom.commands._scratch import Built, as_interrupted, build_revisions, read_live, scratch_somewhere
from stillroom.commands._steps import Work
from stillroom.core.drift import EXTRA
from stillroom.core.mending import plan_mending
from stillroom.errors import InterruptedRunError, RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.edges.postgres.catalog import Surface
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
    live = read_live(work)
    with ExitStack() as stack:
        try:
            scratch, _ = stack.enter_context(scratch_somewhere(work, terminal, live))
        except RefusedError as error:
            why = error.message.removeprefix(f"{work.target.shown}: ")
            return _prove_by_models(work, why) if tops and set(tops) == set(work.project.history.heads) else _none(why)
        try:
            built = build_revisions(work, terminal, tops, live, scratch)
        except InterruptedRunError as error:
            raise as_interrupted(error, f"stamp {' '.join(tops) or 'base'}") from None
        except StillroomError as error:
            return _none(f"that revision cannot be built from base: {error.message}")
        return Proof("the schema equals that revision built from base", _find_differences(work, live, built))


def _find_differences(work: Work, live: Surface, built: Built) -> tuple[str, ...]:
    """Compare the two schemas; what lies in schemas of somebody else is left out."""
    from stillroom.edges.postgres.connect import connect

    spaces = own_spaces(work.project, live.schema, built.schema)
    with closing(connect(built.work.target.url, command=work.command)) as connection:
        drift = compare(connection, live, built.schema, built.major, spaces)
    return tuple(
        each.text.replace(EXTRA, "not in that revision").replace("the history", "that revision")
        for each in plan_mending(drift)
    )


def _prove_by_models(work: Work, why: str) -> Proof:
    """Compare with the models where nothing can be built: they say nothing of triggers, functions and the like."""
    from stillroom.commands.check import compare

    try:
        found = compare(work.settings, work.target, work.project)
    except StillroomError as error:
        return _none(f"{why}; and the models cannot be compared: {error.message}")
    how = f"models and database agree; what models do not say, as triggers and functions, was not compared: {why}"
    return Proof(how, tuple(each.text for each in found.operations))


def _none(why: str) -> Proof:
    return Proof(why, (), is_possible=False)
