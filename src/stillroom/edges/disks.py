"""What is below a folder: the kind of file system, and the room that is left."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from stillroom.core.mounts import find_file_system

MOUNTINFO = Path("/proc/self/mountinfo")


def read_file_system(folder: Path) -> str:
    """Name the kind of file system that a folder is on, or will be; empty where this machine does not tell."""
    try:
        # Names may be bytes of any kind; what is asked for must compare equal.
        text = os.fsdecode(MOUNTINFO.read_bytes())
    except OSError:
        return ""
    return find_file_system(text, PurePosixPath(folder.resolve()))


def free_bytes(folder: Path) -> int | None:
    """Ask how much room is left for us where a folder is; None where it has no size of its own, as in memory.

    Raises:
        OSError: It cannot be asked.
    """
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize if found.f_blocks else None
