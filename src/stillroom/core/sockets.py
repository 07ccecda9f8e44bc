"""Where the embedded server's socket lies: one answer for the server and for everyone who connects."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

PORT = "5432"
SOCKET_PATH_LIMIT = 100
"""Bytes a socket's path may have; the kernels stop at 103 (macOS) and 107 (Linux)."""


def home_hash(home: Path) -> str:
    """Return twelve hexadecimal digits that stand for a folder's path."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def socket_folder(home: Path, uid: int) -> Path:
    """Return the folder of the embedded server's socket.

    It lies beside the data where it can. It cannot when the path is too long for a socket, when it holds a character
    that libpq or the server read as something else (a comma is a list of hosts), and for root: the server then runs
    as another user, who may not be able to walk through root's folders.

    Args:
        home: The server's home, absolute and without symbolic links.
        uid: The effective user id of the process that asks, not the server's.
    """
    beside = home / "run"
    is_short = len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_LIMIT
    is_plain = re.fullmatch(r"[\w./+-]+", str(beside), re.ASCII) is not None
    if uid != 0 and is_short and is_plain:
        return beside
    return Path("/tmp") / f"stillroom-{uid}-{home_hash(home)}"  # noqa: S108 - made 0700, its owner is checked
