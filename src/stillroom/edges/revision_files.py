"""A revision file that is replaced: whole or not at all, and only where it is still what was read."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

from stillroom.edges.drafts import failing_as_tool, write_new
from stillroom.errors import RefusedError


def replace_file(root: Path, path: Path, before: bytes, after: bytes) -> None:
    """Write a temporary file beside it, and give that its name; its mode stays.

    Args:
        root: The project's.
        path: The file.
        before: What it held when the new content was made from it.
        after: The new content.

    Raises:
        RefusedError: It is a link, or something else stands there by now.
        ToolError: The file system does not allow it; the file is as it was.
    """
    shown = os.path.relpath(path, root)
    part = path.with_name(f".{path.name}.part")
    with failing_as_tool(root, "cannot be replaced, and is as it was"):
        if path.is_symlink():
            raise RefusedError(
                f"{shown} is a link", hint="edit the file it leads to by hand, or write a merge revision"
            )
        part.unlink(missing_ok=True)
        try:
            write_new(part, after)
            shutil.copymode(path, part)
            if path.read_bytes() != before:
                raise RefusedError(
                    f"{shown} was changed just now; nothing was written", hint="the same command looks again"
                )
            part.replace(path)
            _forget_compiled(path)
        finally:
            part.unlink(missing_ok=True)


def _forget_compiled(path: Path) -> None:
    """Remove its byte code: one of the same second and length would be run in the place of the new text.

    Source: Python documentation, "The import system", Cached bytecode invalidation.
    """
    with suppress(NotImplementedError, OSError):  # no cache here, or one that is another's
        Path(cache_from_source(str(path))).unlink(missing_ok=True)
