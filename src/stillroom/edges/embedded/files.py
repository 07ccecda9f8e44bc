"""Folders and files that are the server's user's own, and what the file system says about them in words."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.edges.embedded.account import Account, user_name
from stillroom.errors import ToolError


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Hold the lock that lets one process at a time make, start or stop the server of a home.

    Raises:
        ToolError: The lock file cannot be opened or locked.
    """
    import fcntl

    with file_system(home):
        lock = open_append(home / "lock")
    try:
        with file_system(home):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def is_private(folder: Path, account: Account) -> bool:
    """Say whether a folder is the server's user's own, and no link to another."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == account.uid


def open_append(path: Path) -> int:
    """Open a file of ours for appending; as root never through a link that the server's user could have laid."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def make_private(folder: Path, account: Account) -> None:
    """Make a folder 0700 for the server's user; one that is there must already be that user's, or root's own.

    Raises:
        ToolError: It belongs to another user.
    """
    if not os.path.lexists(folder):
        folder.mkdir(mode=0o700)
    require_owner(folder, {account.uid, 0} if account.is_dropped else {account.uid}, account)
    # Through a descriptor: the server's user could put a link in its place between the look and root's change.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if account.is_dropped and os.fstat(descriptor).st_uid == 0:
            os.fchown(descriptor, account.uid, account.gid)
        if os.fstat(descriptor).st_mode & 0o077:
            os.fchmod(descriptor, 0o700)
    finally:
        os.close(descriptor)


def require_owner(folder: Path, owners: set[int], account: Account) -> None:
    """Refuse a folder of another user, and a link.

    Raises:
        ToolError: It is none of the owners' folders.
    """
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid in owners:
        return
    owner = user_name(found.st_uid) or str(found.st_uid)
    raise ToolError(
        f"{folder} belongs to {owner}, and the embedded server would run as {account.name or account.uid}",
        hint=f"run as the user that made it, remove it with `rm -r '{folder}'`, or set DATABASE_URL",
    )


@contextmanager
def file_system(home: Path) -> Iterator[None]:
    """Put what the file system said into words.

    Raises:
        ToolError: The block raised OSError: no space, no right, a read-only disk.
    """
    try:
        yield
    except OSError as error:
        what = error.filename or home
        raise ToolError(
            f"the embedded server's folder: {what}: {(error.strerror or str(error)).lower()}",
            hint="make room or let this user write there, or set DATABASE_URL to a server of yours",
        ) from error
