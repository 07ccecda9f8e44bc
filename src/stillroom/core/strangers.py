"""A revision in the database that has no file here: where its file was found, and the three ways out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stillroom.core.history import History, Revision


@dataclass(frozen=True)
class Stranger:
    """Where the file of an unknown revision is.

    Args:
        revision: The unknown one.
        kind: "branch", "remote", "deleted" (from what is checked out), "stash", "lost" (a commit that no branch holds any
            more), "folder" (in the working tree, and not among the revisions), or empty when it was found nowhere.
        name: The branch, the stash, or the commit, as it is shown.
        ref: What git is told for it; empty for "folder".
        path: Its file, relative to the project's root.
        by: Who committed it, and when.
        files: Its file, and those between it and the revisions of this checkout; none where a name cannot be typed.
        targets: Where a rollback ends that undoes all of these; none when the way is not known.
        problem: Why git was not asked, or not to the end.
    """

    revision: str
    kind: str = ""
    name: str = ""
    ref: str = ""
    path: str = ""
    by: str = ""
    files: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def where(self) -> str:
        """Say where the file is, or that it was not found."""
        place = {
            "branch": f"branch {self.name} has it, in {self.path}",
            "remote": f"branch {self.name} has it, in {self.path}",
            "deleted": f"commit {self.name} of this branch had it, in {self.path}, which was deleted since",
            "stash": f"{self.name} has it, in {self.path}",
            "lost": f"commit {self.name}, which no branch holds any more, has it, in {self.path}",
            "folder": f"{self.path} is its file, which is not among the revisions",
        }.get(self.kind)
        if place is None:
            why = self.problem or "no branch, stash or lost commit that git knows has it"
            return f"a newer checkout or another project; {why}"
        return f"{place} ({self.by})" if self.by else place


@dataclass(frozen=True)
class Place:
    """What a way out depends on.

    Args:
        folder: Where revisions lie, relative to the project's root.
        is_protected: The database is: starting anew is not offered.
        again: What else may be done, as a sentence with a command; empty for nothing.
    """

    folder: str
    is_protected: bool
    again: str = ""


def ways_out(stranger: Stranger, place: Place) -> str:
    """List what may be done, each with what to type; what is not offered has no line."""
    lines = [_check_out(stranger, place), _roll_back(stranger, place)]
    if not stranger.kind:
        lines.append("where the schema is proven to be at a revision of this checkout: `invoke stamp <revision>`")
    if not place.is_protected:
        lines.append("start anew, where nothing in it is needed: `invoke reset-dev`")
    lines.append(place.again)
    return "\n       ".join(each for each in lines if each)


def _check_out(stranger: Stranger, place: Place) -> str:
    files = shlex.join(stranger.files)
    switch = {
        "branch": f"`git switch {shlex.quote(stranger.ref)}`",
        "remote": f"`git switch --detach {shlex.quote(stranger.ref)}`",
    }.get(stranger.kind, "")
    if not stranger.kind:
        return "get the checkout that has it, for instance by `git fetch --all`, and type the same again"
    if not files:
        return f"check it out: {switch}" if switch else ""
    if stranger.kind == "folder":
        return f"put it among the revisions: `mv -- {files} {shlex.quote(place.folder)}/`"
    alone = f"`git checkout {shlex.quote(stranger.ref)} -- {files}`"
    return f"check it out: {switch}, or the file alone: {alone}" if switch else f"check it out: {alone}"


def _roll_back(stranger: Stranger, place: Place) -> str:
    if not stranger.targets:
        return ""
    files = shlex.join(stranger.files)
    undo = " && ".join(f"invoke rollback --target {shlex.quote(each)}" for each in stranger.targets)
    if stranger.kind == "folder":
        folder = shlex.quote(place.folder)
        names = shlex.join(f"{place.folder}/{each.rsplit('/', 1)[-1]}" for each in stranger.files)
        return f"roll back with it: `cp -- {files} {folder}/ && {undo} && rm -- {names}`"
    return (
        f"roll back with it: `git checkout {shlex.quote(stranger.ref)} -- {files} && {undo} && git rm -q -f -- {files}`"
    )


def find_way_down(
    history: History, found: Mapping[str, Revision], revision: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Follow an unknown revision down to those of this checkout.

    Args:
        history: This checkout's.
        found: The revisions of the place that has it, by id.
        revision: The unknown one; it is in found.

    Returns:
        The files of the unknown ones, and where a rollback ends that undoes them all; none where one is missing.
    """
    todo, unknown, known = [revision], dict[str, Revision](), set[str]()
    is_whole = True
    while todo:
        each = todo.pop()
        if each in history.revisions:
            known.add(each)
        elif each in found and each not in unknown:
            unknown[each] = found[each]
            todo += found[each].needs
        elif each not in found:
            is_whole = False
    files = tuple(script.path for script in unknown.values())
    if not is_whole:
        return files, ()
    lowest = tuple(sorted(each for each in known if not _has_below(history, each, known)))
    return files, lowest or ("base",)


def _has_below(history: History, revision: str, others: set[str]) -> bool:
    return bool((history.closure([revision]) - {revision}) & others)


def is_typable(words: Sequence[str]) -> bool:
    """Say whether names from git can be typed as they are shown: printable, and none taken for a flag."""
    return all(each.isprintable() and not each.startswith("-") for each in words)
