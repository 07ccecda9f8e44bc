"""What is looked at before pending revisions run: their files, without importing them."""

from __future__ import annotations

from stillroom.commands._database import Project
from stillroom.core.plan import Plan
from stillroom.edges.scripts import require_functions


def require_whole_files(project: Project, plan: Plan) -> None:
    """Refuse a plan with a file that does not parse, or has no way forward or back.

    Raises:
        RefusedError: The file is named; nothing was run.
    """
    for each in plan.steps:
        require_functions(project.layout, project.history.revisions[each].path)
