"""`invoke heads`: where the history ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import read_project
from stillroom.commands._heads import read_fork
from stillroom.core.heads import Fork
from stillroom.core.history import Revision

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class HeadsShown:
    """The heads of this checkout.

    Args:
        heads: Each of them.
        fork: The chain to each, where there are several.
    """

    heads: tuple[Revision, ...]
    fork: Fork | None = None


def show_heads(settings: Settings, _: Terminal) -> HeadsShown:
    """Read the heads; needs no database.

    Raises:
        SettingsError: A file of the project is missing.
        RefusedError: A revision file cannot be read.
    """
    project = read_project(settings, imports=False)
    heads = tuple(project.history.revisions[each] for each in project.history.heads)
    return HeadsShown(heads, read_fork(settings, project) if len(heads) > 1 else None)
