"""`invoke heads`: where the history ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import read_project
from stillroom.core.history import Revision

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class HeadsShown:
    """The heads of this checkout."""

    heads: tuple[Revision, ...]


def show_heads(settings: Settings, _: Terminal) -> HeadsShown:
    """Read the heads; needs no database.

    Raises:
        SettingsError: A file of the project is missing.
        RefusedError: A revision file cannot be read.
    """
    history = read_project(settings, imports=False).history
    return HeadsShown(tuple(history.revisions[each] for each in history.heads))
