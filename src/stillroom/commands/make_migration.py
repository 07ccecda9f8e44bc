"""`invoke make-migration`: what differs between models and database becomes a reviewed revision."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._asking import ask_questions, unanswered
from stillroom.commands._base import Base, offer_to_migrate, read_base, require_up_to_date
from stillroom.commands._database import reach_database, read_project
from stillroom.commands._generation import NONE
from stillroom.core.messages import clean_message
from stillroom.core.operations import Operation
from stillroom.edges.git import add_command
from stillroom.edges.leaving import hangup_as_interrupt
from stillroom.edges.versions_folder import locked
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._database import Target
    from stillroom.commands._draft import Draft
    from stillroom.commands._generation import Wish
    from stillroom.commands.migrate import Migrated
    from stillroom.core.generation import Answers
    from stillroom.edges.alembic.autogenerate import Generated
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class MadeMigration:
    """A revision that is in the versions folder.

    Args:
        path: The file, relative to the project's root.
        revision: Its id.
        message: Its message.
        operations: What its upgrade does.
        unreviewed: Nobody has read it; its first line says so.
        add_command: The command that adds it to git, as typed in the current folder.
        migrated: What the migrate did that was asked for along with it; None without one.
        notes: What a reviewer should know.
        left_alone: Tables that are not the models', and why.
    """

    path: str
    revision: str
    message: str
    operations: tuple[Operation, ...]
    unreviewed: bool
    add_command: str
    migrated: Migrated | None = None
    notes: tuple[str, ...] = ()
    left_alone: tuple[tuple[str, str], ...] = ()
    outcome: str = "made"


@dataclass(frozen=True)
class NothingChanged:
    """Models and database agree; no file was made."""

    database: str
    revision: str
    notes: tuple[str, ...] = ()
    left_alone: tuple[tuple[str, str], ...] = ()
    outcome: str = "unchanged"


@dataclass(frozen=True)
class Discarded:
    """The draft was turned down and is gone."""

    message: str
    revision: str
    outcome: str = "discarded"


def make_migration(
    settings: Settings,
    terminal: Terminal,
    *,
    message: str = "",
    is_empty: bool = False,
    edits: bool = True,
    allowed: frozenset[str] = frozenset(),
    answers: Answers = NONE,
) -> MadeMigration | NothingChanged | Discarded:
    """Write a revision that brings the database to the models.

    Args:
        settings: Where the project and the database are.
        terminal: With a person at it the draft is reviewed; else it is kept, marked as unreviewed.
        message: What it is for; empty for a proposal made of its operations.
        is_empty: Compare nothing, write an empty revision to be filled by hand.
        edits: Open the configured editor without being asked.
        allowed: The dangers that were allowed by name.
        answers: What only a person knows, as far as it was said already.

    Raises:
        SettingsError: Settings that cannot be used.
        RefusedError: Revisions are pending, several heads, models that were not imported; nothing was written.
        DatabaseError: The database did not answer.
        ToolError: The editor or the file system failed; a draft that was begun is kept and named.
        InterruptedRunError: Ctrl-C or a closed terminal; a draft that was begun is kept and named.
    """
    from stillroom.commands._draft import start_draft
    from stillroom.commands._generation import Wish, generate, propose

    answers = replace(answers, may_lose="data-loss" in allowed)
    wish = Wish(clean_message(message), is_empty, edits, allowed, answers)
    target = reach_database(settings, terminal)
    found = _compare(settings, target, wish, terminal, offers=terminal.is_interactive)
    if isinstance(found, Base):  # nobody else waits while a person is asked
        offer_to_migrate(found, settings, terminal)
        found = _compare(settings, target, wish, terminal, offers=False)
        assert not isinstance(found, Base), "it was offered once"
    if not isinstance(found, tuple):
        return found
    base, generated = found
    while generated.questions:
        wish = replace(wish, answers=ask_questions(generated.questions, wish.answers, terminal))
        generated = generate(settings, base, wish, terminal)
    # Nobody else waits while a person reads; the base is looked at again when the draft is accepted.
    wish = replace(wish, message=wish.message or _ask_message(propose(generated, base), terminal))
    with hangup_as_interrupt():
        return _review(settings, start_draft(settings, base, generated, wish), wish, terminal)


def _compare(
    settings: Settings, target: Target, wish: Wish, terminal: Terminal, *, offers: bool
) -> MadeMigration | NothingChanged | Base | tuple[Base, Generated]:
    """Read the ground and compare, while no other make-migration is at work.

    Returns:
        What is to be reviewed, or all that there was to do; the ground alone, where a person may be asked to migrate first.
    """
    from stillroom.commands._draft import start_draft
    from stillroom.commands._generation import generate

    before: set[str] = set()

    def note_wait(text: str) -> None:
        before.update(read_project(settings).history.revisions or {"none"})
        terminal.say(text)

    with locked(settings.root, wait_s=settings.wait_s, say=note_wait):
        base = read_base(settings, target, terminal)
        if base.pending and offers:
            return base
        require_up_to_date(base, before)
        generated = generate(settings, base, wish, terminal)
        if generated.questions and not terminal.is_interactive:
            raise unanswered(generated.questions)
        if not generated.operations and not wish.is_empty:
            return NothingChanged(target.shown, base.head or "", generated.all_notes, generated.left_alone)
        if not terminal.is_interactive:
            return _keep_unreviewed(start_draft(settings, base, generated, wish), terminal)
        return base, generated


def _keep_unreviewed(draft: Draft, terminal: Terminal) -> MadeMigration:
    from stillroom.commands._draft import format_draft, publish
    from stillroom.commands._review import inspect

    seen = inspect(format_draft(draft, terminal), terminal)
    if seen.problems:
        raise RefusedError(f"the generated file cannot be used: {seen.problems[0]}", hint=draft.kept_hint)
    return _made(draft, publish(draft, is_reviewed=False), seen.operations, is_reviewed=False)


def _review(settings: Settings, draft: Draft, wish: Wish, terminal: Terminal) -> MadeMigration | Discarded:
    from stillroom.commands._draft import format_draft, publish_if_base_holds
    from stillroom.commands._review import review

    verdict = review(settings, format_draft(draft, terminal), terminal, opens_editor=wish.edits)
    if verdict.answer == "discard":
        return Discarded(draft.message, draft.revision)
    made = _made(draft, publish_if_base_holds(settings, draft, terminal), verdict.operations, is_reviewed=True)
    if verdict.answer == "accept":
        return made
    from stillroom.commands.migrate import Migrated, migrate_database

    terminal.say(f"wrote {made.path}")
    migrated = migrate_database(settings, terminal)
    assert isinstance(migrated, Migrated), "neither planned nor settled"
    return replace(made, migrated=migrated)


def _ask_message(proposal: str, terminal: Terminal) -> str:
    given = terminal.ask_or_end(f"message [{proposal}]: ")
    if given is None:
        terminal.say("")
        hint = "`invoke make-migration` asks again; Enter takes the proposal"
        raise RefusedError("the input ended at the message; no revision was made, nothing was written", hint=hint)
    return clean_message(given) or proposal


def _made(draft: Draft, path: Path, operations: tuple[Operation, ...], *, is_reviewed: bool) -> MadeMigration:
    shown = os.path.relpath(path, draft.base.project.layout.root)
    return MadeMigration(
        shown,
        draft.revision,
        draft.message,
        operations,
        not is_reviewed,
        add_command(path),
        notes=draft.notes,
        left_alone=draft.left_alone,
    )
