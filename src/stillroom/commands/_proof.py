"""Whether a schema really is at a revision: by the models, or by building that revision beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._scratch import as_interrupted, build_revisions, read_live
from stillroom.commands._steps import Work
from stillroom.core.drift import EXTRA, Drift
from stillroom.core.mending import plan_mending
from stillroom.errors import InterruptedRunError, StillroomError

if TYPE_CHECKING:
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
    """Build the revision in a scratch database, and compare the two schemas."""
    from stillroom.edges.postgres.scratch import scratch_database

    live = read_live(work)
    with scratch_database(work.target.url, command="stamp") as name:
        if name is None:
            return Proof("the role may not create a scratch database to build that revision in", (), is_possible=False)
        try:
            built = build_revisions(work, terminal, tops, live, replace(work.target.url, name=name))
        except InterruptedRunError as error:
            raise as_interrupted(error, f"stamp {' '.join(tops) or 'base'}") from None
        except StillroomError as error:
            return Proof(f"that revision cannot be built from base: {error.message}", (), is_possible=False)
    found = plan_mending(Drift(live.schema, built.schema))
    said = tuple(
        each.text.replace(EXTRA, "not in that revision").replace("the history", "that revision") for each in found
    )
    return Proof("the schema equals that revision built from base", said)
