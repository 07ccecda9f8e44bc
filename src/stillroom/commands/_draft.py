"""A draft: generated in a child, written beside the versions folder, published into it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._base import Base, require_one_head
from stillroom.commands._database import read_project
from stillroom.commands._generation import Wish, in_child, propose
from stillroom.core.messages import file_name, slug
from stillroom.core.revision_text import add_mark, put_message, remove_mark
from stillroom.edges.drafts import FOLDER, read_draft, save_draft, write_draft
from stillroom.edges.versions_folder import locked, publish_draft
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from stillroom.edges.alembic.autogenerate import Generated
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class Draft:
    """A revision that is not in the versions folder yet."""

    path: Path
    revision: str
    message: str
    base: Base
    notes: tuple[str, ...] = ()
    left_alone: tuple[tuple[str, str], ...] = ()

    @property
    def shown(self) -> str:
        """The draft's path as a person would name it."""
        return str(self.path.relative_to(self.base.project.layout.root))

    @property
    def kept_hint(self) -> str:
        """What may be done with a draft that is left lying."""
        folder = self.base.folder
        root = self.base.project.layout.root
        place = folder.relative_to(root) if folder.is_relative_to(root) else folder
        move = f"mv {shlex.quote(self.shown)} {shlex.quote(f'{place}/')}"
        return f"`{move}` takes it as it is; `invoke make-migration` starts anew"


def start_draft(settings: Settings, base: Base, generated: Generated, wish: Wish) -> Draft:
    """Write the draft, marked as unreviewed.

    Raises:
        SettingsError: alembic.ini or the template names a file, or places a message, in a way that cannot be.
        ToolError: It cannot be written.
    """
    message = wish.message or propose(generated, base)
    try:
        last = slug(message, generated.slug_length)
        template, created_at = generated.file_template, generated.created_at
        name = file_name(template, revision=generated.revision, slug=last, created_at=created_at)
        text = put_message(generated.text, generated.token, message)
    except ValueError as error:
        hint = "compare them with those `alembic init` makes"
        raise SettingsError(f"alembic.ini or script.py.mako: {error}", hint=hint) from None
    target = (base.folder / name).resolve()
    if not target.is_relative_to(base.folder.resolve()):
        raise SettingsError(f"file_template in alembic.ini leads out of the versions folder: {name}", hint="correct it")
    path = write_draft(settings.root, name, add_mark(text))
    return Draft(path, generated.revision, message, base, generated.all_notes, generated.left_alone)


def format_draft(draft: Draft, terminal: Terminal) -> Draft:
    """Run the project's `post_write_hooks`, as Alembic does on a new file; one that fails is said."""
    if not draft.base.project.layout.has_write_hooks:
        return draft
    from stillroom.edges.alembic.draft import run_write_hooks

    problem = in_child(lambda: run_write_hooks(draft.base.project.layout, draft.path), terminal)
    if problem:
        terminal.say(f"note:  post_write_hooks of alembic.ini: {problem}")
    return draft


def publish(draft: Draft, *, is_reviewed: bool) -> Path:
    """Put the draft into the versions folder; the lock on drafts is held.

    Raises:
        RefusedError: There is a file of that name.
        ToolError: The file system failed; the draft is kept.
    """
    if is_reviewed:
        text = read_draft(draft.path).decode("utf-8")
        save_draft(draft.path, remove_mark(text).encode("utf-8"))
    target = draft.base.folder / draft.path.relative_to(draft.base.project.layout.root / FOLDER)
    publish_draft(draft.path, target)
    return target


def publish_if_base_holds(settings: Settings, draft: Draft, terminal: Terminal) -> Path:
    """Publish an accepted draft, unless another revision came in while it was read.

    Raises:
        RefusedError: It would be a second head; the draft is kept.
    """
    with locked(settings.root, wait_s=settings.wait_s, say=terminal.say):
        head = require_one_head(settings, read_project(settings))
        if head != draft.base.head:
            raise RefusedError(
                f"revision {head} came in while this one was reviewed, which would be a second head; "
                f"the draft is kept: {draft.shown}",
                hint="`invoke migrate`, then `invoke make-migration` compares again",
            )
        return publish(draft, is_reviewed=True)
