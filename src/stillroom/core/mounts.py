"""On which file system a folder lies, as Linux tells it in `/proc/self/mountinfo`, and whether that one lasts."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

LAYERS = frozenset({"overlay", "aufs", "fuse-overlayfs", "fuse.fuse-overlayfs"})
MEMORY = frozenset({"tmpfs", "ramfs", "rootfs", "devtmpfs"})
ESCAPE = re.compile(r"\\([0-7]{3})")


def find_file_system(mountinfo: str, path: PurePosixPath) -> str:
    """Name the kind of file system that a path is on; empty where that cannot be told.

    Args:
        mountinfo: The file's text: the later line wins, because it was mounted over the earlier one.
        path: Absolute, without links in it.
    """
    found, depth = "", -1
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5 or not after:
            continue
        point = PurePosixPath(ESCAPE.sub(lambda octal: chr(int(octal[1], 8)), fields[4]))
        if path.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = after.split(" ")[0], len(point.parts)
    return found


def why_not_lasting(file_system: str) -> str:
    """Say why what lies there is soon gone; empty where it lasts, as far as the kind tells."""
    if file_system in LAYERS:
        return f"on a container's own layer ({file_system}), and goes with the container"
    return f"in memory ({file_system}), and goes with the next restart" if file_system in MEMORY else ""
