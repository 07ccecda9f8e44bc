"""What git's history knows about revision files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stillroom.edges.git_reading import Git

ADDED = ("--diff-filter=A", "--no-renames", "--no-ext-diff", "--no-textconv")


@dataclass(frozen=True)
class Added:
    """How a file came into git.

    Args:
        commit: The commit that added it; empty when it is not committed.
        author: Who wrote that commit; empty when it is not committed, or when a shallow clone does not tell.
        at: When, to the minute, UTC.
        is_cut: A shallow clone begins here, so the file may be older.
    """

    commit: str = ""
    author: str = ""
    at: str = ""
    is_cut: bool = False


def find_commit_of(root: Path, revision: str, environment: Mapping[str, str]) -> str:
    """Find the commit, on any branch, that last had a file with this revision id in its name.

    Returns:
        "1a2b3c4 add notes (origin/notes)"; an empty string without git, without a repository, or without a find.
    """
    if not re.fullmatch(r"\w+", revision):
        return ""
    said = Git(root, environment).ask("log", "--all", "-1", "--format=%h %s (%S)", *ADDED, "--", f"*{revision}*.py")
    return (said or "").replace("refs/heads/", "").replace("refs/remotes/", "")


def read_added(git: Git, paths: Sequence[str]) -> Mapping[str, Added]:
    """Find who added these files, last, in the history of what is checked out; what is not committed is left out.

    Args:
        git: The repository.
        paths: Relative to the project's root.
    """
    found: dict[str, Added] = {}
    said = git.ask(
        "log", "--format=%x01%H%x00%an%x00%ad%x00%P", "--date=format-local:%Y-%m-%d %H:%M", "--name-only", "--relative",
        *ADDED, "--", *(f":(literal){path}" for path in paths),
    )  # fmt: skip
    for block in (said or "").split("\x01")[1:]:
        head, *names = block.strip("\n").split("\n")
        commit, author, at, parents = head.split("\0")
        is_cut = not parents and git.is_shallow()
        for name in filter(None, names):
            found.setdefault(name, Added(commit, "" if is_cut else author, "" if is_cut else at, is_cut))
    return found
