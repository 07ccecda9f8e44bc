"""What git's history knows about revision files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stillroom.edges.programs import find_program

LOOK_FOR_S = 10


def find_commit_of(root: Path, revision: str, environment: Mapping[str, str]) -> str:
    """Find the commit, on any branch, that last had a file with this revision id in its name.

    Returns:
        "1a2b3c4 add notes (origin/notes)"; an empty string without git, without a repository, or without a find.
    """
    if not re.fullmatch(r"\w+", revision):
        return ""
    arguments = ["--all", "-1", "--format=%h %s (%S)", "--diff-filter=A", "--", f"*{revision}*.py"]
    return _log(root, arguments, environment).replace("refs/heads/", "").replace("refs/remotes/", "")


def find_author_of(root: Path, path: str, environment: Mapping[str, str]) -> str:
    """Name who added a file; an empty string without git, without a repository, or before it is committed."""
    return _log(root, ["-1", "--format=%an", "--diff-filter=A", "--", f":(literal){path}"], environment)


def _log(root: Path, arguments: list[str], environment: Mapping[str, str]) -> str:
    git = find_program("git", environment)
    if git is None:
        return ""
    try:
        ended = subprocess.run(
            [git, "log", *arguments],
            cwd=root,
            env=dict(environment),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOOK_FOR_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
