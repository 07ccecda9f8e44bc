"""Drafts on disk: they lie beside the versions folder until they are accepted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stillroom.edges.own_folder import ignore_in_git
from stillroom.errors import ToolError

FOLDER = Path(".stillroom") / "drafts"


def write_draft(root: Path, name: str, text: str) -> Path:
    """Write a new draft; nothing is left of one that does not fit on the disk.

    Raises:
        ToolError: It cannot be written, or there is one of this name.
    """
    path = root / FOLDER / name
    with failing_as_tool(root, "cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        ignore_in_git(path.parent.parent)
        write_new(path, text.encode("utf-8"))
    return path


def save_draft(path: Path, data: bytes) -> None:
    """Put a draft's content back, whole or not at all.

    Raises:
        ToolError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    with failing_as_tool(path.parent.parent.parent, "cannot be written"):
        part.unlink(missing_ok=True)
        write_new(part, data)
        part.replace(path)


def read_draft(path: Path) -> bytes:
    """Read what an editor left; empty when the file is gone."""
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else b""
    except OSError:
        return b""


def remove_draft(path: Path) -> None:
    """Remove a draft, and the copy an editor made of it.

    Raises:
        ToolError: The file system does not allow it.
    """
    with failing_as_tool(path.parent.parent.parent, "cannot be removed"):
        for each in (path, path.with_name(f"{path.name}~")):
            each.unlink(missing_ok=True)


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not exist, whole or not at all."""
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def failing_as_tool(root: Path, what: str) -> Iterator[None]:
    """Turn what the file system refuses into a sentence; root is the project's."""
    try:
        yield
    except OSError as error:
        place = os.path.relpath(error.filename or root / FOLDER, root)
        hint = "`df -h .` shows whether there is room, `ls -ld .stillroom` whose it is"
        raise ToolError(f"{place} {what}: {error.strerror or error}", hint=hint) from None
