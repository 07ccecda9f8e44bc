"""Small files beside a backup's manifest, for what is learned later: that it is pinned, that it was copied."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stillroom.edges.backup_locks import NO_LINK
from stillroom.edges.backups import file_system

PIN, COPY = "pinned.json", "copied.json"
NOTE_MOST_BYTES = 64 * 1024


@contextmanager
def _opened(backup: Path) -> Iterator[int]:
    """Open the folder itself, so that no link put in its place later leads elsewhere."""
    descriptor = os.open(backup, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | NO_LINK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def write_note(backup: Path, name: str, content: Mapping[str, Any]) -> None:
    """Write a note whole or not at all, in the place of an older one.

    Raises:
        ToolError: The file system did not let it happen.
    """
    temporary = f".{name}-{secrets.token_hex(6)}"
    with file_system(backup), _opened(backup) as folder:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINK, 0o600, dir_fd=folder)
        try:
            with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor has no path
                stream.write(json.dumps(content, indent=2) + "\n")
                stream.flush()
                os.fsync(descriptor)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            raise
        os.fsync(folder)


def remove_note(backup: Path, name: str) -> bool:
    """Remove a note; return whether there was one.

    Raises:
        ToolError: The file system did not let it happen.
    """
    with file_system(backup), _opened(backup) as folder:
        try:
            os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return False
        os.fsync(folder)
    return True


def read_note(backup: Path, name: str) -> dict[str, Any] | None:
    """Read a note; None without one, and an empty one where it cannot be read: what is there still counts."""
    try:
        descriptor = os.open(backup / name, os.O_RDONLY | NO_LINK | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError:
        return {}
    with open(descriptor, "rb") as stream:  # noqa: PTH123 - a descriptor has no path
        try:
            found = json.loads(stream.read(NOTE_MOST_BYTES))
        except (OSError, ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}
