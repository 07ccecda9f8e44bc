"""A folder that only this user may enter, as long as a block runs; what a killed run left of its kind is removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.edges.backup_locks import NO_LINK, try_lock

PREFIX = "stillroom-tools-"
SETTLED_S = 60.0  # one that was made only just may not be locked yet


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make the folder where the system keeps what is temporary, and remove it after the block.

    Its lock goes with the process: one without was left by a run that was killed, perhaps with a password in it.

    Raises:
        OSError: It cannot be made.
    """
    parent, lock = Path(tempfile.gettempdir()), None
    for each in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            _remove_what_is_left(each)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))  # 0700
    try:
        lock = os.open(folder, os.O_RDONLY | NO_LINK)
        try_lock(lock)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _remove_what_is_left(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | NO_LINK)
    try:
        state = os.fstat(descriptor)
        is_settled = time.time() - state.st_mtime > SETTLED_S
        if state.st_uid == os.geteuid() and is_settled and try_lock(descriptor):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
