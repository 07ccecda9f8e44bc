"""The backups that are there: read from their folders, and compared with what was written then."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stillroom.core.archive import HEADER_BYTES
from stillroom.core.backup_names import NAME, PARTIAL
from stillroom.core.manifest import DUMP, FILE, Manifest, ManifestError, read_manifest
from stillroom.edges.backup_locks import NO_LINK, RUN, is_being_written
from stillroom.edges.backups import file_system
from stillroom.edges.pg_programs import CONTENTS

MANIFEST_MOST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Backup:
    """One folder among the backups.

    Args:
        name: The folder's name.
        path: The folder.
        manifest: Its description; None where there is none that can be read.
        problem: Why it is no backup to rely on; empty for a good one.
        changed_at: When the folder was last changed, UTC.
    """

    name: str
    path: Path
    manifest: Manifest | None
    problem: str
    changed_at: datetime

    @property
    def is_unfinished(self) -> bool:
        """It has not got its final name, and may never."""
        return self.name.endswith(PARTIAL)

    @property
    def dump(self) -> Path:
        """The folder that pg_restore reads."""
        return self.path / DUMP


def read_backups(backup_dir: Path) -> tuple[Backup, ...]:
    """List the backups, newest first, and at the end what is none (any more).

    Sizes are compared, hashes are not: those take as long as reading every file.

    Raises:
        ToolError: The folder cannot be read.
    """
    if not backup_dir.exists():
        return ()
    with file_system(backup_dir):
        entries = [each for each in os.scandir(backup_dir) if each.is_dir(follow_symlinks=False)]
        found = []
        for each in entries:
            # Published, swept or pruned since it was listed: then it is not there.
            with contextlib.suppress(FileNotFoundError):
                if _is_ours(each.name, Path(each.path)):
                    found.append(read_backup(Path(each.path)))
    return tuple(sorted(found, key=_age, reverse=True))


def _is_ours(name: str, path: Path) -> bool:
    if not name.isprintable() or name.startswith("."):
        return False
    mark = RUN if name.endswith(PARTIAL) else FILE
    return bool(NAME.fullmatch(name)) or (path / mark).exists()


def _age(backup: Backup) -> tuple[int, int, datetime]:
    manifest = backup.manifest
    return (1, manifest.sequence, manifest.created_at) if manifest else (0, 0, backup.changed_at)


def read_backup(path: Path) -> Backup:
    """Read one folder and compare the sizes of its files.

    A name is free again when its backup was pruned: where another folder has it by the end, that one is read instead.

    Raises:
        FileNotFoundError: It is gone.
    """
    while True:
        with _held(path) as folder:
            found = _read_folder(path)
            if os.path.samestat(os.fstat(folder), path.lstat()):
                return found


@contextlib.contextmanager
def _held(path: Path) -> Iterator[int]:
    """Keep a folder open, so that no other one can get its number meanwhile; its own rights are not asked."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_PATH", 0) | NO_LINK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_folder(path: Path) -> Backup:
    manifest, problem = None, ""
    if path.name.endswith(PARTIAL):
        problem = "being written" if is_being_written(path) else "unfinished: the next backup removes it"
    else:
        try:
            manifest = _read_manifest(path / FILE)
            problem = _find_missing(path, manifest)
        except ManifestError as error:
            problem = f"damaged: {error}"
    changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Backup(path.name, path, manifest, problem, changed_at)


def _read_manifest(path: Path) -> Manifest:
    try:
        if path.stat().st_size > MANIFEST_MOST_BYTES:
            raise ManifestError("its manifest is too large")
        return read_manifest(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ManifestError("it has no manifest") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError("its manifest cannot be read") from error


def _find_missing(path: Path, manifest: Manifest) -> str:
    for each in manifest.files:
        try:
            size = (path / each.path).lstat().st_size
        except OSError:
            return f"damaged: {each.path} is missing"
        if size != each.size_bytes:
            return f"damaged: {each.path} has {size} bytes, not {each.size_bytes}"
    return ""


def read_header(backup: Backup) -> bytes:
    """Read the first bytes of a backup's archive.

    Raises:
        ToolError: It cannot be read.
    """
    with file_system(backup.path), (backup.dump / CONTENTS).open("rb") as stream:
        return stream.read(HEADER_BYTES)


def find_damage(backup: Backup) -> str:
    """Compare every file with its hash; return what is wrong, empty when nothing is.

    Raises:
        ToolError: A file cannot be read.
    """
    if backup.problem or backup.manifest is None:
        return backup.problem or "damaged: it has no manifest"
    with file_system(backup.path):
        there = {str(each.relative_to(backup.path)) for each in backup.dump.rglob("*") if not each.is_dir()}
        added = there - {each.path for each in backup.manifest.files}
        if added:
            return f"damaged: {min(added)} is not in its manifest"
        for each in backup.manifest.files:
            with (backup.path / each.path).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != each.sha256:
                    return f"damaged: {each.path} has changed since it was written"
    return ""
