"""A database at a revision that has no file here: the file is looked for, and named with the ways out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stillroom.commands._database import Project, standing_of
from stillroom.core.strangers import Place, Stranger, find_way_down, is_typable, ways_out
from stillroom.errors import UnknownRevisionError

if TYPE_CHECKING:
    from stillroom.commands._database import Target
    from stillroom.edges.git_reading import Git
    from stillroom.edges.postgres.current import Current
    from stillroom.settings import Settings


def require_known_here(settings: Settings, project: Project, target: Target, current: Current) -> None:
    """Refuse a database that is at a revision this checkout does not have, and say where its file is.

    Raises:
        UnknownRevisionError: A current revision has no file here.
    """
    unknown = [each for each in current.revisions if each not in project.history.revisions]
    if not unknown:
        return
    stranger = find_stranger(settings, project, unknown[0])
    raise UnknownRevisionError(
        f"the database is at revision {', '.join(unknown)}, which has no file here: {stranger.where}",
        hint=hint_for(settings, project, target, current, stranger),
    )


def hint_for(
    settings: Settings, project: Project, target: Target, current: Current, stranger: Stranger, *, again: str = ""
) -> str:
    """Write the ways out, each with what to type; again is one more of them."""
    folder = project.layout.version_folders[0]
    shown = folder.relative_to(settings.root) if folder.is_relative_to(settings.root) else folder
    return ways_out(stranger, Place(str(shown), standing_of(settings, target, current).is_protected, again))


def find_stranger(settings: Settings, project: Project, revision: str) -> Stranger:
    """Look for the file of an unknown revision in the working tree, and in all that git still has; bounded in time."""
    from stillroom.edges.git_reading import LOOK_FOR_S, Git
    from stillroom.edges.stray_files import find_stray

    if not re.fullmatch(r"\w{1,32}", revision):
        return Stranger(revision, problem="nothing was looked for, as that is no id of a revision")
    stray = find_stray(settings.root, revision)
    if stray is not None and is_typable([stray.path]):
        files, targets = find_way_down(project.history, {revision: stray}, revision)
        return Stranger(revision, "folder", path=stray.path, files=files, targets=targets)
    git = Git(settings.root, settings.child_environment)
    problem = git.find_problem()
    if problem:
        return Stranger(revision, problem=f"{problem}, so only this folder was looked through")
    found = _ask_git(git, project, revision)
    if found is not None:
        return found
    if git.ran_out:
        return Stranger(revision, problem=f"git was asked for {LOOK_FOR_S:.0f} s, and had not found it by then")
    if git.is_shallow():
        return Stranger(revision, problem="git does not know it, but the clone is shallow: `git fetch --unshallow`")
    return Stranger(revision)


def _ask_git(git: Git, project: Project, revision: str) -> Stranger | None:
    from stillroom.edges.git_strangers import find_place, read_revisions

    root = project.layout.root
    folders = [str(each.relative_to(root)) for each in project.layout.version_folders if each.is_relative_to(root)]
    place = find_place(git, revision, folders)
    if place is None:
        return None
    found = {**read_revisions(git, place.ref, [*folders, place.path])}
    files, targets = find_way_down(project.history, found, revision) if revision in found else ((place.path,), ())
    files, targets = (files, targets) if is_typable(files) else ((), ())
    return Stranger(revision, place.kind, place.name, place.ref, place.path, place.by, files, targets)
