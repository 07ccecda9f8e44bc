"""Revision files in the working tree that are not among the revisions: drafts, and files that were put elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from stillroom.core.history import Revision
from stillroom.core.script_parsing import HeaderError
from stillroom.core.script_text import read_header
from stillroom.edges.drafts import FOLDER

FILES_MOST = 20_000
SIZE_LIMIT_BYTES = 1 << 20
PASSED_OVER = {"venv", "node_modules", "__pycache__", "site-packages"}


def find_stray(root: Path, revision: str) -> Revision | None:
    """Find the file of a revision among the drafts, or by its name anywhere in the project; a huge tree is not read to its end.

    Args:
        root: The project's folder.
        revision: Its id; no file of the versions folder has it.
    """
    drafts = root / FOLDER
    for path in sorted(drafts.glob("*.py")) if drafts.is_dir() else ():
        script = _read(path, root)
        if script is not None and script.id == revision:
            return script
    seen = 0
    for place, folders, names in os.walk(root):
        folders[:] = [each for each in folders if each not in PASSED_OVER and not each.startswith(".")]
        for name in names:
            if name.endswith(".py") and revision in name:
                script = _read(Path(place, name), root)
                if script is not None and script.id == revision:
                    return script
        seen += len(names)
        if seen > FILES_MOST:
            return None
    return None


def _read(path: Path, root: Path) -> Revision | None:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > SIZE_LIMIT_BYTES:
            return None
        return read_header(path.read_bytes(), path.relative_to(root).as_posix())
    except (OSError, HeaderError):
        return None
