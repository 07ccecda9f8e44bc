"""The rehearsal between a backup and the real run, on the copy that proved the backup."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands._backup_making import Made
    from stillroom.commands._steps import Work
    from stillroom.core.plan import Plan
    from stillroom.core.rehearsal import Rehearsal
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating


def rehearse_between(work: Work, held: Migrating, made: Made, plan: Plan, say: Voice) -> Rehearsal | None:
    """Run the plan on the copy that the backup was restored into, if it was."""
    if made.copy is None:
        why = (
            "a snapshot is no copy here"
            if made.backup.snapshot
            else "the backup was read back, and not restored into a copy"
        )
        say(f"note:  not rehearsed: {why}")
        return None
    from stillroom.commands._rehearsing import rehearse_plan
    from stillroom.edges.alembic.attempt import read_session
    from stillroom.report._rehearsal import answer, warnings

    # The copy is another database, which has no search path of its own.
    limits = replace(work.limits, search_path=read_session(held.connection).search_path)
    rehearsal = rehearse_plan(replace(work, limits=limits), made.copy, plan, say)
    for line in warnings(rehearsal):
        say(f"note:  {line}")
    say(answer(rehearsal))
    return rehearsal
