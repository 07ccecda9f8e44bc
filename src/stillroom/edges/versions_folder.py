"""The versions folder: one writer at a time, and files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.edges.drafts import FOLDER, failing_as_tool, write_new
from stillroom.errors import RefusedError

LOCK = ".lock"
PAUSE_S = 0.1
# File systems without hard links answer with one of these.
NO_LINKS = {errno.EPERM, errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EACCES}


def require_folder(folder: Path, root: Path) -> None:
    """Refuse a versions folder that lies elsewhere, or cannot be written to.

    Raises:
        RefusedError: It is a link out of the project, no folder, or not writable.
    """
    shown, real = os.path.relpath(folder, root), folder.resolve()
    if not real.is_relative_to(root.resolve()):
        raise RefusedError(f"{shown} leads out of the project, to {real}", hint="make it a folder of the project")
    place = next(each for each in (real, *real.parents) if each.exists())
    if not place.is_dir():
        raise RefusedError(f"{shown} is no folder", hint="move that file away; new revisions go there")
    if not os.access(place, os.W_OK | os.X_OK):
        raise RefusedError(f"{shown} is not writable", hint=f"`ls -ld {shown}` shows whose it is")


@contextmanager
def locked(root: Path, *, wait_s: float, say: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock on the making of revisions in this project.

    Args:
        wait_s: The longest wait for it, in seconds.
        say: Told once that somebody else holds it.

    Raises:
        RefusedError: The wait ran out.
        ToolError: The file system does not allow it.
    """
    with failing_as_tool(root, "cannot be locked"):
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        file = os.open(root / FOLDER / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        give_up_at, has_said = time.monotonic() + wait_s, False
        while not _try_lock(file, root):
            if time.monotonic() > give_up_at:
                hint = "let it end, or raise STILLROOM_WAIT_S"
                raise RefusedError("another make-migration has been at work all the time", hint=hint)
            if not has_said:
                say("waiting for another make-migration")
                has_said = True
            time.sleep(PAUSE_S)
        yield
    finally:
        os.close(file)


def _try_lock(file: int, root: Path) -> bool:
    with failing_as_tool(root, "cannot be locked"):
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
    return True


def publish_draft(path: Path, target: Path) -> None:
    """Give the draft its place in the versions folder, whole, and only if no file has that name.

    Raises:
        RefusedError: There is a file of that name.
        ToolError: The file system does not allow it; the draft is kept.
    """
    with failing_as_tool(path.parent.parent.parent, f"cannot be moved to {target.parent.name}/ and is kept"):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _link(path, target)
        except FileExistsError:
            raise RefusedError(f"{target.name} exists", hint=f"the draft is kept: {path}") from None
        path.unlink()
        _sync_folder(target.parent)


def _link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        # The name is taken first; what it names comes by a rename, so the file is never half there.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        part = target.with_name(f".{target.name}.part")
        try:
            write_new(part, path.read_bytes())
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            target.unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """Make the new name last; not every file system can, and then nothing is lost but this."""
    with contextlib.suppress(OSError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
