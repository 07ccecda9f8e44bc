"""A backup that is limited to some schemas must hold what the pending revisions touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.commands._rendering import render_plan
from stillroom.core.locks.modes import UNKNOWN
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.core.plan import Plan

SETTING = "STILLROOM_BACKUP_SCHEMAS"


def require_covered(work: Work, plan: Plan, schema: str) -> None:
    """Refuse a plan that touches, or may touch, what the backup would not hold.

    Args:
        work: Names the schemas.
        plan: What is pending.
        schema: Where names without a schema lead.

    Raises:
        RefusedError: A revision touches a table of another schema, or nobody can tell what it touches.
    """
    schemas = work.settings.backup_schemas
    if not schemas:
        return
    for step in render_plan(work, plan):
        for lock in step.locks:
            space, dot, _ = lock.relation.rpartition(".")
            touched = space.strip('"') if dot else schema
            if lock.mode == UNKNOWN or touched not in schemas:
                what = f"runs `{lock.relation}`, and nobody can tell what that touches"
                if lock.mode != UNKNOWN:
                    what = f"touches {lock.relation}, in schema {touched}"
                raise RefusedError(
                    f"{step.revision} {what}; {SETTING} limits the backup to {', '.join(schemas)}",
                    hint=f"widen {SETTING}, or take another backup by hand and run `invoke migrate`",
                )
