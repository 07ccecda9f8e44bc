"""What git knows: the editor its user configured, whether it keeps a file, and the command that adds one."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stillroom.edges.programs import find_program

TIMEOUT_S = 5.0


@dataclass(frozen=True)
class Checkout:
    """The commit that is checked out, and whether tracked files were changed since."""

    commit: str
    is_dirty: bool


def find_editor(root: Path, environment: Mapping[str, str]) -> str | None:
    """Find the editor somebody gave git: GIT_EDITOR, then core.editor; never git's own default, a surprise vi."""
    given = environment.get("GIT_EDITOR", "").strip()
    return given or _ask(root, environment, "config", "--get", "core.editor")


def read_checkout(root: Path, environment: Mapping[str, str]) -> Checkout | None:
    """Read the commit of the project's folder; None without git, or outside of a repository."""
    said = _ask(root, environment, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--", ".")
    lines = (said or "").splitlines()
    commit = next((line.removeprefix("# branch.oid ") for line in lines if line.startswith("# branch.oid ")), "")
    return Checkout(commit, any(not line.startswith("#") for line in lines)) if commit else None


def find_uncommitted(root: Path, paths: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Name those of these files that git does not have as they are; none without git, or outside of a repository.

    Args:
        root: The project's folder.
        paths: Relative to it.
        environment: Git's own.
    """
    flags = ("--porcelain=v1", "-z", "--untracked-files=all", "--ignored=matching", "--no-renames")
    found = []
    for path in paths:
        if _ask(root, environment, "--literal-pathspecs", "status", *flags, "--", path):
            found.append(path)
    return tuple(found)


def is_tracked(root: Path, name: str, environment: Mapping[str, str]) -> bool:
    """Tell whether git keeps a file of this folder; no git, or no repository, keeps none."""
    return bool(_ask(root, environment, "ls-files", "--", f":(literal){name}"))


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
