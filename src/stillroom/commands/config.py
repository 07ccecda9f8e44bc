"""Show every setting of this run and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stillroom.edges.terminal import Terminal
from stillroom.settings import Entry, Settings


@dataclass(frozen=True)
class ConfigShown:
    """The settings of this run.

    Args:
        entries: Every setting with its source, secrets masked.
        notes: What a person should know about them.
        root: The project's folder.
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    root: Path


def show_config(settings: Settings, terminal: Terminal) -> ConfigShown:
    """Return the settings as they were loaded; no database is asked, no file is touched."""
    del terminal  # every command has one; this one has nothing to say before its answer
    return ConfigShown(entries=settings.entries, notes=settings.notes, root=settings.root)
