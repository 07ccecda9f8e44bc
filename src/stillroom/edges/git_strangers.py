"""The file of a revision, looked for in all that git still has: branches, remotes, stashes, and commits of the reflog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stillroom.core.history import Revision
from stillroom.core.script_parsing import HeaderError
from stillroom.core.script_text import read_header
from stillroom.core.strangers import is_typable
from stillroom.edges.git_branches import short
from stillroom.edges.git_log import ADDED
from stillroom.edges.git_reading import Git

TRIED = 8
SIZE_LIMIT_BYTES = 1 << 20
RANKS = ("branch", "remote", "deleted", "stash", "lost")


@dataclass(frozen=True)
class Place:
    """A commit that has the file.

    Args:
        kind: As in `core.strangers.Stranger`.
        name: The branch, stash or commit as it is shown.
        ref: What git is told for it.
        path: The file, relative to the project's root.
        by: Who committed it, and when.
    """

    kind: str
    name: str
    ref: str
    path: str
    by: str


def find_place(git: Git, revision: str, folders: Sequence[str]) -> Place | None:
    """Find the best place that has a revision's file: a branch before a stash, and both before a lost commit.

    Args:
        git: The repository.
        revision: An id that is safe in a pattern.
        folders: Where revisions lie, relative to the project's root.
    """
    by_name = ("--", f"*{revision}*.py")
    by_text = (f"-S{revision}", "--", *folders)
    for how in (by_name, by_text) if folders else (by_name,):
        found = [place for each in _added(git, how) if (place := _look_at(git, revision, *each))]
        if found:
            return min(found, key=lambda each: RANKS.index(each.kind))
    return None


def read_revisions(git: Git, ref: str, folders: Sequence[str]) -> Mapping[str, Revision]:
    """Read the revisions that a branch or commit has in these folders, by id; what is no revision is passed over."""
    said = git.read("ls-tree", "-r", "-l", "-z", ref, "--", *folders) or b""
    blobs: list[tuple[str, str]] = []
    for line in said.decode(errors="replace").split("\0"):
        about, _, path = line.partition("\t")
        words = about.split()
        if path.endswith(".py") and words[1:2] == ["blob"] and words[3].isdigit() and int(words[3]) < SIZE_LIMIT_BYTES:
            blobs.append((words[2], path))
    found = {}
    for path, data in zip((path for _, path in blobs), _contents(git, [blob for blob, _ in blobs]), strict=False):
        script = _header(data, path)
        if script is not None:
            found[script.id] = script
    return found


def _contents(git: Git, blobs: Sequence[str]) -> Iterator[bytes]:
    said = git.read("cat-file", "--batch", data="".join(f"{each}\n" for each in blobs).encode()) if blobs else None
    place = 0
    while said and place < len(said):
        line_end = said.index(b"\n", place)
        size = int(said[place:line_end].split()[-1])
        yield said[line_end + 1 : line_end + 1 + size]
        place = line_end + size + 2


def _added(git: Git, how: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Name the commits that added such files, newest first: the commit, the file, and who it was.

    Without the full history, git passes over the parent of a stash that holds the files it did not know.
    """
    said = git.ask(
        "-c", "log.showRoot=true", "log", "--all", "--reflog", "--full-history", f"-{TRIED}", "--format=%x01%H%x00%an, %ad",
        "--date=format-local:%Y-%m-%d %H:%M", "--name-only", "--relative", *ADDED, *how,
    )  # fmt: skip
    for block in (said or "").split("\x01")[1:]:
        head, *names = block.strip("\n").split("\n")
        commit, by = head.split("\0")
        yield from ((commit, name, by) for name in names if name.endswith(".py"))


def _look_at(git: Git, revision: str, commit: str, path: str, by: str) -> Place | None:
    data = git.read("cat-file", "blob", f"{commit}:./{path}")
    script = _header(data, path) if data is not None else None
    if script is None or script.id != revision:
        return None
    said = git.ask("for-each-ref", f"--contains={commit}", "--format=%(refname)", "refs/heads", "refs/remotes") or ""
    refs = [each for each in said.split("\n") if each and not each.endswith("/HEAD")]
    for ref in refs:
        if git.read("cat-file", "-e", f"{ref}:./{path}") is not None:
            is_named = ref.startswith("refs/heads/") and is_typable([short(ref)])
            return Place(
                "branch" if is_named else "remote",
                short(ref),
                short(ref) if is_typable([short(ref)]) else commit,
                path,
                by,
            )
    if git.read("merge-base", "--is-ancestor", commit, "HEAD") is not None:
        return Place("deleted", commit[:12], commit[:12], path, by)
    stash = _find_stash(git, commit)
    return Place("stash" if stash else "lost", stash or commit[:12], commit[:12], path, by)


def _find_stash(git: Git, commit: str) -> str:
    """Name the stash that holds a commit: what was staged, or the files that git did not know."""
    said = git.ask("log", "--walk-reflogs", "--format=%gd%x00%H %P", "refs/stash", "--") or ""
    for line in said.split("\n"):
        name, _, commits = line.partition("\0")
        if commit in commits.split():
            return name
    return ""


def _header(data: bytes, path: str) -> Revision | None:
    try:
        return read_header(data, path)
    except HeaderError:
        return None
