"""Who is at work in the backup folder: file locks, which go with the process that holds them."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.core.backup_names import PARTIAL
from stillroom.core.manifest import FILE
from stillroom.errors import RefusedError

RUN = "run.json"
LOCK = ".lock"
TRASH = ".stillroom-trash-"
TRASH_NAME = re.compile(re.escape(TRASH) + "[0-9a-f]{12}")
ASKED_FOR_S = 5.0
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def alone(backup_dir: Path, name: str = LOCK) -> Iterator[None]:
    """Keep other runs from sweeping, counting and renaming in the meantime.

    Args:
        backup_dir: The folder of the backups.
        name: Another lock of that folder, for what takes longer.
    """
    lock = os.open(backup_dir / name, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
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


@contextmanager
def in_use(backup: Path) -> Iterator[None]:
    """Keep a backup from being pruned while it is read; children that are forked inside hold it as well.

    One without a manifest is never pruned, and needs no lock.

    Raises:
        RefusedError: It was pruned a moment ago.
    """
    try:
        lock = os.open(backup / FILE, os.O_RDONLY | NO_LINK)
    except OSError:
        if not backup.is_dir():
            raise _gone(backup) from None
        yield
        return
    try:
        if not _may_share(lock) or not _is_still_there(lock, backup / FILE):
            raise _gone(backup)
        yield
    finally:
        os.close(lock)


def _gone(backup: Path) -> RefusedError:
    return RefusedError(f"{backup.name} was pruned a moment ago", hint="`invoke backups` lists what is there")


def _may_share(descriptor: int) -> bool:
    """Lock a file beside other readers; a file system without locks lets everybody read.

    A prune that only asks holds it for a moment.
    """
    end = time.monotonic() + ASKED_FOR_S
    while True:
        try:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except ImportError:
            return True
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EAGAIN}:
                return True
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        else:
            return True


def _is_still_there(descriptor: int, path: Path) -> bool:
    """Tell whether the locked file is the one under the name: it may have been moved away before it was locked."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


@contextmanager
def claimed(backup: Path) -> Iterator[bool]:
    """Try to be the only one at a backup; the value says whether nobody reads it.

    Where it cannot be known, somebody does.
    """
    try:
        lock = os.open(backup / FILE, os.O_RDWR | NO_LINK)
    except OSError:
        yield False
        return
    try:
        yield try_lock(lock)
    finally:
        os.close(lock)


def is_being_written(partial: Path) -> bool:
    """Tell whether a process is at work in a folder; one that cannot be asked counts as at work."""
    try:
        descriptor = os.open(partial / RUN, os.O_RDWR | NO_LINK)
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
    for trash in find_trash(backup_dir):
        shutil.rmtree(trash, ignore_errors=True)


def find_trash(backup_dir: Path) -> tuple[Path, ...]:
    """List what was pruned and is not deleted yet."""
    found = (each for each in backup_dir.glob(f"{TRASH}*") if TRASH_NAME.fullmatch(each.name))
    return tuple(each for each in found if each.is_dir() and not each.is_symlink())
