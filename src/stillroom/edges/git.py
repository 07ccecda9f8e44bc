"""What git knows: the editor its user configured, and the command that adds a file."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from stillroom.edges.programs import find_program

TIMEOUT_S = 5.0


def find_editor(root: Path, environment: Mapping[str, str]) -> str | None:
    """Find the editor somebody gave git: GIT_EDITOR, then core.editor; never git's own default, a surprise vi."""
    given = environment.get("GIT_EDITOR", "").strip()
    return given or _ask(root, environment, "config", "--get", "core.editor")


def _ask(root: Path, environment: Mapping[str, str], *arguments: str) -> str | None:
    git = find_program("git", environment)
    if git is None:
        return None
    try:
        done = subprocess.run(
            [git, "-C", str(root), *arguments],
            env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() or None if done.returncode == 0 else None


def add_command(path: Path) -> str:
    """Write the command that adds the file, as it is typed in the current folder."""
    try:
        shown = os.path.relpath(path)
    except (OSError, ValueError):
        shown = str(path)
    return f"git add {shlex.quote(shown if not shown.startswith('-') else f'./{shown}')}"
