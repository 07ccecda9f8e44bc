"""Who is at work in the backup folder: file locks, which go with the process that holds them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.core.backup_names import PARTIAL

RUN = "run.json"
LOCK = ".lock"


@contextmanager
def alone(backup_dir: Path) -> Iterator[None]:
    """Keep other runs from sweeping, counting and renaming in the meantime."""
    lock = os.open(backup_dir / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        try_lock(lock, waits=True)
        yield
    finally:
        os.close(lock)


def try_lock(descriptor: int, *, waits: bool = False) -> bool:
    """Lock a file; False when another process holds it, or when this file system knows no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except (ImportError, OSError):
        return False
    return True


def is_being_written(partial: Path) -> bool:
    """Tell whether a process is at work in a folder; one that cannot be asked counts as at work."""
    try:
        descriptor = os.open(partial / RUN, os.O_RDWR | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        # Between mkdir and the first file, or in the middle of being removed.
        return False
    except OSError:
        return True
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


def sweep(backup_dir: Path) -> None:
    """Remove what killed runs left; folders that are being written, and anything else, stay."""
    for partial in backup_dir.glob(f"*{PARTIAL}"):
        if (partial / RUN).is_file() and not partial.is_symlink() and not is_being_written(partial):
            shutil.rmtree(partial, ignore_errors=True)
