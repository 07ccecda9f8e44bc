"""The two ways to join heads, on files: a merge revision, or a chain that is put after the other one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._database import Project
from stillroom.commands._generation import in_child
from stillroom.core.heads import find_start
from stillroom.core.history import make_history
from stillroom.core.messages import file_name, slug
from stillroom.core.overlaps import find_overlaps
from stillroom.core.reparenting import NotPlainError, follow
from stillroom.core.revision_text import put_message
from stillroom.core.script_text import read_header
from stillroom.edges.drafts import read_draft, remove_draft, write_draft
from stillroom.edges.versions_folder import publish_draft, require_folder
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.core.operations import Operation
    from stillroom.edges.alembic.merging import Merge
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

MERGE = "`invoke heads.merge -m merge` writes a merge revision instead"


def compare_chains(project: Project, chains: Mapping[str, tuple[str, ...]], terminal: Terminal) -> tuple[str, ...]:
    """Say what two chains both touch; their code runs in a child, against nothing.

    Models that do not import, as in the middle of a merge, are no reason to leave the history with two heads.

    Raises:
        InterruptedRunError: Ctrl-C.
    """
    from stillroom.edges.alembic.merging import read_operations

    revisions = tuple(each for chain in chains.values() for each in chain)
    try:
        found: Mapping[str, tuple[Operation, ...]] = in_child(
            lambda: read_operations(project.layout, revisions), terminal
        )
    except RefusedError as error:
        return (f"what both sides touch was not compared: {error.message}",)
    return find_overlaps(tuple(chains.values()), found)


def write_merge(settings: Settings, project: Project, message: str, terminal: Terminal) -> tuple[Path, str]:
    """Write an empty revision that follows all heads, and return its file and id; the lock on drafts is held.

    Raises:
        SettingsError: alembic.ini or the template cannot be used.
        RefusedError: A revision does not import, or the versions folder cannot be used.
        ToolError: The file system failed.
    """
    from stillroom.edges.alembic.draft import run_write_hooks
    from stillroom.edges.alembic.merging import render_merge

    heads, layout = project.history.heads, project.layout
    folder = (layout.root / project.history.revisions[heads[0]].path).parent
    require_folder(folder, settings.root)
    revision = secrets.token_hex(6)
    token = f"stillroom-message-{revision}"
    made: Merge = in_child(lambda: render_merge(layout, revision, heads, token), terminal)
    try:
        last = slug(message, made.slug_length)
        name = file_name(made.file_template, revision=revision, slug=last, created_at=made.created_at)
        text = put_message(made.text, token, message)
    except ValueError as error:
        hint = "compare them with those `alembic init` makes"
        raise SettingsError(f"alembic.ini or script.py.mako: {error}", hint=hint) from None
    target = folder / name
    if not target.resolve().is_relative_to(folder.resolve()):
        raise SettingsError(f"file_template in alembic.ini leads out of the versions folder: {name}", hint="correct it")
    draft = write_draft(settings.root, name, text)
    problem = in_child(lambda: run_write_hooks(layout, draft), terminal)
    if problem:
        terminal.say(f"note:  post_write_hooks of alembic.ini: {problem}")
    _require_merge(draft, revision, heads)
    publish_draft(draft, target)
    return target, revision


def _require_merge(draft: Path, revision: str, heads: tuple[str, ...]) -> None:
    header = read_header(read_draft(draft), draft.name)
    if header is None or (header.id, tuple(sorted(header.down))) != (revision, heads):
        remove_draft(draft)
        hint = "it must write `revision = ${repr(up_revision)}` and `down_revision = ${repr(down_revision)}`"
        raise SettingsError("script.py.mako does not make a merge revision: nothing was written", hint=hint)


def move_chain(settings: Settings, project: Project, chain: tuple[str, ...], onto: str) -> tuple[Path, str, str]:
    """Make a chain follow another head, and return the file, its revision, and what that followed before.

    Args:
        settings: Where the project is.
        project: As it is under the lock.
        chain: What leads to one head only, parents first.
        onto: The other head.

    Raises:
        RefusedError: The chain has not one beginning, needs something behind it, or its file is no plain text.
        ToolError: The file system failed; the file is as it was.
    """
    from stillroom.edges.revision_files import replace_file
    from stillroom.edges.scripts import read_bytes

    start = _require_movable(project, chain, onto)
    script = project.history.revisions[start]
    path = project.layout.root / script.path
    require_folder(path.parent, settings.root)
    before = read_bytes(project.layout, script.path)
    try:
        after = follow(before, onto)
    except NotPlainError as error:
        raise RefusedError(f"{script.path} is left as it is: {error}", hint=MERGE) from None
    replace_file(settings.root, path, before, after)
    return path, start, ", ".join(script.down)


def _require_movable(project: Project, chain: tuple[str, ...], onto: str) -> str:
    history = project.history
    starts = find_start(history, chain)
    if len(starts) != 1 or len(history.revisions[starts[0]].down) > 1:
        what = (
            f"begins with {' and '.join(starts)}" if len(starts) > 1 else f"begins with {starts[0]}, a merge revision"
        )
        raise RefusedError(f"the chain to {chain[-1]} {what}, so it cannot be put after {onto}", hint=MERGE)
    moved = replace(history.revisions[starts[0]], down=(onto,))
    try:
        make_history([moved if each.id == moved.id else each for each in history.revisions.values()])
    except RefusedError:
        raise RefusedError(
            f"{onto} depends on the chain to {chain[-1]}, so that cannot be put after it", hint=MERGE
        ) from None
    return moved.id
