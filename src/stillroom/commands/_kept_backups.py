"""What the tasks about kept backups share: one by its name, and what is wrong with it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.edges.backup_list import Backup, find_damage, read_backups
from stillroom.errors import RefusedError, ToolError

if TYPE_CHECKING:
    from pathlib import Path


def require_listed(backup_dir: Path, name: str) -> Backup:
    """Find a published backup, whole or damaged, among those that are there; a name is never made into a path.

    Raises:
        RefusedError: There is none of that name.
        ToolError: The folder cannot be read.
    """
    for each in read_published(backup_dir):
        if each.name == name:
            return each
    raise RefusedError(f"{name!r}: there is no such backup", hint="`invoke backups` lists what is there")


def read_published(backup_dir: Path) -> tuple[Backup, ...]:
    """List the backups that have their final name, newest first, damaged ones at the end.

    Raises:
        ToolError: The folder cannot be read.
    """
    return tuple(each for each in read_backups(backup_dir) if not each.is_unfinished)


def find_problem(backup: Backup) -> str:
    """Compare every file with its size and hash; return what is wrong, empty when nothing is."""
    try:
        return find_damage(backup)
    except ToolError as error:
        return f"damaged: it cannot be read: {error.message}"
