"""What is looked at before pending revisions run: their files, without importing them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from stillroom.commands._database import Project
from stillroom.commands._marking import may_be_marked
from stillroom.core.guard import Standing, is_allowed
from stillroom.core.plan import Plan
from stillroom.edges.scripts import require_functions
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work


def require_whole_files(project: Project, plan: Plan) -> None:
    """Refuse a plan with a file that does not parse, or has no way forward or back.

    Raises:
        RefusedError: The file is named; nothing was run.
    """
    for each in plan.steps:
        require_functions(project.layout, project.history.revisions[each].path)


def require_committed(work: Work, plan: Plan, standing: Standing) -> None:
    """Refuse a pending file that git does not have as it is, where the database is protected.

    Outside of a git checkout, as in an image, there is nothing to compare with.

    Raises:
        RefusedError: The files are named.
    """
    if is_allowed("migrate with a pending file that git does not have", standing):
        return
    if work.current is not None and may_be_marked(work.settings, work.current):
        return  # this very run makes it a database for development
    from stillroom.edges.git import find_uncommitted

    paths = [work.project.history.revisions[each].path for each in plan.steps]
    found = find_uncommitted(work.settings.root, paths, work.settings.child_environment)
    if found:
        shown = " ".join(shlex.quote(each) for each in found)
        mark = "; a development database: `invoke mark --environment development`" if standing.mark is None else ""
        raise RefusedError(
            f"{', '.join(found)}: not committed as it is, and the database is protected ({standing.why}); nothing was run",
            hint=f"`git add {shown}` and `git commit`, so that others have what ran here{mark}",
        )
