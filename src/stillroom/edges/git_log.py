"""What git's history knows about revision files."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

LOOK_FOR_S = 10


def find_commit_of(root: Path, revision: str, environment: Mapping[str, str]) -> str:
    """Find the commit, on any branch, that last had a file with this revision id in its name.

    Returns:
        "1a2b3c4 add notes (origin/notes)"; an empty string without git, without a repository, or without a find.
    """
    if not re.fullmatch(r"\w+", revision):
        return ""
    command = ["git", "log", "--all", "-1", "--format=%h %s (%S)", "--diff-filter=A", "--", f"*{revision}*.py"]
    try:
        ended = subprocess.run(
            command,
            cwd=root,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=LOOK_FOR_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ended.stdout.strip().replace("refs/heads/", "").replace("refs/remotes/", "") if ended.returncode == 0 else ""
