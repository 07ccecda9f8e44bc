"""Delete a backup: out of the list by one rename, and only then file by file."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.edges.backup_locks import TRASH, alone, claimed, find_trash
from stillroom.edges.backup_notes import PIN, read_note
from stillroom.edges.backups import file_system, sync_folder

PRUNING = ".prune-lock"


@contextmanager
def pruning(backup_dir: Path) -> Iterator[None]:
    """Be the only one who prunes; backups may be made and restored meanwhile.

    Raises:
        ToolError: The folder cannot be written.
    """
    with file_system(backup_dir), alone(backup_dir, PRUNING):
        yield


def throw_away(backup_dir: Path, names: Iterable[str]) -> dict[str, str]:
    """Take backups out of the list; return those that stayed, each with the reason.

    Each is gone at once under its name: a kill leaves it whole, or in the trash.

    Raises:
        ToolError: The folder cannot be written; what is gone by then is in the trash.
    """
    stayed = {}
    with file_system(backup_dir), alone(backup_dir):
        for name in names:
            backup = backup_dir / name
            with claimed(backup) as is_ours:
                if not is_ours:
                    stayed[name] = "in use"
                elif read_note(backup, PIN) is not None:
                    stayed[name] = "pinned"
                else:
                    backup.rename(backup_dir / f"{TRASH}{secrets.token_hex(6)}")
        sync_folder(backup_dir)
    return stayed


def empty_trash(backup_dir: Path) -> tuple[Path, ...]:
    """Delete what was thrown away, now and by runs that were killed; return what could not be deleted."""
    with file_system(backup_dir):
        for each in find_trash(backup_dir):
            shutil.rmtree(each, ignore_errors=True)
        return find_trash(backup_dir)
