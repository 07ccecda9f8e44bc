"""The folders of backups: written under a temporary name, synced, and renamed when they are whole."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import secrets
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.core.backup_names import PARTIAL
from stillroom.core.manifest import DUMP, FILE, DumpFile
from stillroom.core.pg_tools import choose_jobs
from stillroom.edges.backup_locks import RUN, alone, sweep, try_lock
from stillroom.errors import ToolError

PIECE_BYTES = 1024 * 1024
TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


@contextmanager
def file_system(place: Path) -> Iterator[None]:
    """Turn what the file system says inside the block into one sentence.

    Raises:
        ToolError: The place cannot be read or written, or is full.
    """
    try:
        yield
    except OSError as error:
        hint = f"{cure(error)}, or name another folder in STILLROOM_BACKUP_DIR; older backups are untouched"
        raise ToolError(f"{error.filename or place}: {error.strerror or error}", hint=hint) from None


def cure(error: OSError) -> str:
    """Say what helps against what the file system said."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "`ls -ld` shows whose it is: this user lacks a permission there"
    if error.errno == errno.EROFS:
        return "mount that disk for writing"
    return "make room there" if error.errno in {errno.ENOSPC, errno.EDQUOT} else "look at that place"


@contextmanager
def unfinished(backup_dir: Path, name: str) -> Iterator[Path]:
    """Make a private folder for a backup under way; it is removed unless it was renamed by then.

    Its lock says that it is being written: a run that is killed loses the lock, and the next run sweeps the folder.

    Args:
        backup_dir: Made, 0700 and ignored by git, when it is missing.
        name: Begins the temporary name, for those who look into the folder.

    Raises:
        ToolError: The folder cannot be written.
    """
    partial, run = backup_dir / f"{name}-{secrets.token_hex(6)}{PARTIAL}", None
    try:
        with file_system(backup_dir):
            _make_backup_dir(backup_dir)
            with alone(backup_dir):
                sweep(backup_dir)
                partial.mkdir(mode=0o700)
                run = _open_run(partial)
        yield partial
    finally:
        # Also when it was renamed: then there is nothing left under this name.
        shutil.rmtree(partial, ignore_errors=True)
        if run is not None:
            os.close(run)


def _make_backup_dir(backup_dir: Path) -> None:
    if backup_dir.is_dir():
        return
    backup_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        _write_new(backup_dir / ".gitignore", "*\n")


def _open_run(partial: Path) -> int:
    """Write who is at work, and lock it; the lock goes when the process does."""
    _write_new(partial / RUN, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}) + "\n")
    descriptor = os.open(partial / RUN, os.O_RDWR | os.O_CLOEXEC)
    try_lock(descriptor, waits=True)
    return descriptor


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor has no path
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)


def sync_and_hash(partial: Path) -> tuple[DumpFile, ...]:
    """Make every file of the dump 0600, bring it to the disk, and hash it; several at a time.

    Raises:
        ToolError: A file cannot be read or synced.
    """
    with file_system(partial):
        paths = sorted(each for each in (partial / DUMP).rglob("*") if not each.is_dir())
        at_once = choose_jobs(sum(each.stat().st_size for each in paths), os.cpu_count() or 1)
        found = tuple(
            _all_at_once(partial, paths, at_once) if at_once > 1 else (_sync_and_hash(partial, each) for each in paths)
        )
        sync_folder(partial / DUMP)
    return found


def _all_at_once(partial: Path, paths: list[Path], at_once: int) -> Iterator[DumpFile]:
    """Use several processors: hashing and syncing let other threads run. An interruption ends all of them early."""
    from concurrent.futures import ThreadPoolExecutor

    is_over = threading.Event()
    with ThreadPoolExecutor(at_once) as pool:
        try:
            yield from pool.map(lambda path: _sync_and_hash(partial, path, is_over), paths)
        finally:
            is_over.set()


def _sync_and_hash(partial: Path, path: Path, is_over: threading.Event | None = None) -> DumpFile:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        os.fchmod(stream.fileno(), 0o600)
        piece = memoryview(bytearray(min(os.fstat(stream.fileno()).st_size + 1, PIECE_BYTES)))
        while not (is_over and is_over.is_set()) and (count := stream.readinto(piece)):
            digest.update(piece[:count])
        os.fsync(stream.fileno())
        size = os.fstat(stream.fileno()).st_size
    return DumpFile(str(path.relative_to(partial)), size, digest.hexdigest())


def publish(partial: Path, name: str, manifest: Callable[[], str]) -> Path:
    """Write the manifest and give the folder its final name; only now the backup exists.

    Args:
        partial: The folder under its temporary name; everything else in it is synced.
        name: The wanted name; `-2`, `-3` are added where it is taken.
        manifest: Called while no other backup is published into this folder, so that it may count those there.

    Raises:
        ToolError: The file system did not let it happen.
    """
    backup_dir = partial.parent
    with file_system(backup_dir), alone(backup_dir):
        _require_own_folder(partial)
        _write_new(partial / FILE, manifest())
        sync_folder(partial)
        final = _rename(partial, name)
        sync_folder(backup_dir)
        with contextlib.suppress(OSError):
            (final / RUN).unlink()
    return final


def _require_own_folder(partial: Path) -> None:
    """Refuse what somebody has put in our folder's place: whoever may write beside it can rename it."""
    if partial.is_symlink() or not (partial / RUN).is_file() or partial.lstat().st_uid != os.geteuid():
        message = f"{partial} is not the folder that was made for this backup any more"
        raise ToolError(message, hint="`ls -ld` shows who may write there: nobody but this user should")


def _rename(partial: Path, name: str) -> Path:
    """Rename to the first free name; a rename never replaces a folder that holds something."""
    for count in itertools.count(1):
        final = partial.with_name(name if count == 1 else f"{name}-{count}")
        if os.path.lexists(final):
            continue
        try:
            partial.rename(final)
        except OSError as error:
            if error.errno not in TAKEN:
                raise
        else:
            break
    return final


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
