"""`.stillroom`, the folder in a project that is ours: git is told to leave it alone."""

from __future__ import annotations

import contextlib
from pathlib import Path

NAME = ".stillroom"


def ignore_in_git(folder: Path) -> None:
    """Put a `.gitignore` that covers everything into `.stillroom`; another folder is left as it is.

    Raises:
        OSError: The folder cannot be written.
    """
    if folder.name == NAME:
        with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as file:
            file.write("*\n")
