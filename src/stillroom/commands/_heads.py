"""What is said where one head was meant and the history has several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.commands._database import Project
from stillroom.core.messages import clean_message
from stillroom.core.plan import HEAD, HEADS, plan_upgrade, several_heads
from stillroom.edges.scripts import read_created

if TYPE_CHECKING:
    from stillroom.settings import Settings


def require_one_head(settings: Settings, project: Project, current: tuple[str, ...], target: str) -> None:
    """Refuse to choose between heads; with all of them applied there is nothing to choose.

    Raises:
        RefusedError: Several, and something is pending; each is named with file, date and author.
    """
    if target != HEAD or len(project.history.heads) < 2 or not plan_upgrade(project.history, current, HEADS).steps:
        return
    raise several_heads(tuple(_describe(settings, project, each) for each in project.history.heads))


def _describe(settings: Settings, project: Project, revision: str) -> str:
    from stillroom.edges.git_log import find_author_of

    path = project.history.revisions[revision].path
    author = clean_message(find_author_of(settings.root, path, settings.child_environment))
    parts = (path, read_created(project.layout, path), author)
    return f"{revision} ({', '.join(each for each in parts if each)})"
