"""`invoke heads.merge`: make one head of several."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._choosing import Choice, choose, require_unseen, require_words
from stillroom.commands._database import Project, read_project
from stillroom.commands._merging import compare_chains, move_chain, write_merge
from stillroom.core.heads import find_chain
from stillroom.core.messages import clean_message
from stillroom.edges.git import add_command
from stillroom.edges.versions_folder import locked
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class HeadsMerged:
    """How the heads were joined.

    Args:
        outcome: "merged", "reparented", or "nothing" where there was one head, or none.
        heads: What they were.
        head: The one there is now; empty without any revision.
        path: The file that was written, relative to the project's root.
        revision: Its id.
        follows: What it follows now.
        followed: What a re-parented one followed before; empty for nothing.
        warnings: What both sides touch, and what is worth knowing of the side that was moved.
        add_command: The command that adds the file to git, as typed in the current folder.
    """

    outcome: str
    heads: tuple[str, ...]
    head: str
    path: str = ""
    revision: str = ""
    follows: tuple[str, ...] = ()
    followed: str = ""
    warnings: tuple[str, ...] = ()
    add_command: str = ""


def merge_heads(
    settings: Settings, terminal: Terminal, *, message: str = "", reparent: str = "", onto: str = ""
) -> HeadsMerged:
    """Write a merge revision, or put the chain that is applied nowhere after the other head.

    Args:
        settings: Where the project is; and the database, which is asked only before a chain is moved.
        terminal: Asked which of the two is wanted, where both can be done and nothing was said.
        message: Of the merge revision; empty for one that names the heads.
        reparent: A revision of the chain to move; empty for a merge revision.
        onto: The head that it is to follow, where there are more than two.

    Raises:
        SettingsError: Settings or flags that cannot be used.
        RefusedError: Branches with labels, a chain that somebody may have applied, or files that cannot be used.
        DatabaseError: The server did not answer, and a chain was to be moved.
        ToolError: The file system failed; every revision is as it was.
        InterruptedRunError: Ctrl-C; nothing was written.
    """
    require_words(message, reparent, onto)
    project = read_project(settings)
    heads = project.history.heads
    if len(heads) < 2:
        return HeadsMerged("nothing", heads, "".join(heads))
    choice = choose(settings, terminal, project, reparent=reparent, onto=onto, asks=not message)
    chains = {each: find_chain(project.history, each) for each in heads}
    warnings = compare_chains(project, chains, terminal)
    with locked(settings.root, wait_s=settings.wait_s, say=terminal.say):
        project = read_project(settings)
        if project.history.heads != heads:
            return _nothing_left(project, heads)
        if choice.moved:
            notes = require_unseen(settings, terminal, project, choice)
            return _reparent(settings, project, choice, (*notes, *warnings))
        text = clean_message(message) or f"merge {' and '.join(heads) if len(heads) == 2 else f'{len(heads)} heads'}"
        path, revision = write_merge(settings, project, text, terminal)
    shown = os.path.relpath(path, settings.root)
    return HeadsMerged("merged", heads, revision, shown, revision, heads, "", warnings, add_command(path))


def _reparent(settings: Settings, project: Project, choice: Choice, warnings: tuple[str, ...]) -> HeadsMerged:
    path, revision, followed = move_chain(settings, project, find_chain(project.history, choice.moved), choice.onto)
    after = read_project(settings).history.heads
    return HeadsMerged(
        "reparented", project.history.heads, ", ".join(after), os.path.relpath(path, settings.root), revision,
        (choice.onto,), followed, warnings, add_command(path),
    )  # fmt: skip


def _nothing_left(project: Project, heads: tuple[str, ...]) -> HeadsMerged:
    now = project.history.heads
    if len(now) < 2:
        return HeadsMerged("nothing", now, "".join(now))
    raise RefusedError(
        f"the heads were {', '.join(heads)}, and are {', '.join(now)} now; nothing was written",
        hint="`invoke heads.merge` looks again",
    )
