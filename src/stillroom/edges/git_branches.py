"""Where git has a commit: which branches hold it, and whether others than the one at work have seen it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stillroom.edges.git_reading import Git

MAIN = re.compile(r"refs/(?:heads|remotes/[^/]+)/(?:main|master|HEAD)")


@dataclass(frozen=True)
class Holders:
    """The branches that hold a commit.

    Args:
        main: Main branches that do, local or remote; what is checked out counts where it came there without a merge.
        foreign: Other branches of a remote that do.
        upstream: The remote branch of what is checked out, where that holds it.
    """

    main: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    upstream: str = ""


def find_holders(git: Git, commit: str) -> Holders | None:
    """Find the branches that hold a commit; None where git does not say.

    Args:
        git: The repository.
        commit: Its full hash.
    """
    said = git.ask("for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/heads", "refs/remotes")
    if said is None:
        return None
    here = git.ask("symbolic-ref", "-q", "HEAD") or ""
    upstream = git.ask("for-each-ref", "--format=%(upstream)", here) if here else ""
    main, foreign, own = [], [], ""
    for ref in said.split("\n"):
        if MAIN.fullmatch(ref):
            if ref != here or _came_without_merge(git, commit):
                main.append(short(ref))
        elif ref == upstream:
            own = short(ref)
        elif ref.startswith("refs/remotes/"):
            foreign.append(short(ref))
    return Holders(tuple(main), tuple(foreign), own)


def short(ref: str) -> str:
    """Name a branch as a person does."""
    return re.sub(r"\Arefs/(?:heads|remotes)/", "", ref)


def _came_without_merge(git: Git, commit: str) -> bool:
    """Tell whether a commit of the checked-out main branch was made on it, and not on a branch that was merged into it."""
    said = git.ask("rev-list", "--first-parent", f"{commit}~..HEAD")
    if said is None:
        said = git.ask("rev-list", "--first-parent", "HEAD")
    return said is None or commit in said.split("\n")
