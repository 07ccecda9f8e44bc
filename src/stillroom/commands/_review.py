"""The review: shown, edited, shown again, until it is accepted or discarded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._draft import Draft
from stillroom.commands._generation import in_child
from stillroom.core.operations import Operation
from stillroom.core.review import Sheet, sheet_text
from stillroom.core.revision_text import find_problems
from stillroom.edges.drafts import read_draft, remove_draft, save_draft
from stillroom.edges.editor import resolve_editor, run_editor
from stillroom.edges.git import find_editor
from stillroom.edges.leaving import forget_dead_terminal
from stillroom.errors import InterruptedRunError, StillroomError, ToolError

if TYPE_CHECKING:
    from stillroom.edges.alembic.draft import Shown
    from stillroom.edges.alembic.offline import Rendered
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

ANSWERS = {"a": "accept", "m": "migrate", "e": "edit", "d": "discard"}
GOOD, BAD = "[a]ccept, accept and [m]igrate, [e]dit, [d]iscard? ", "[e]dit again, [d]iscard? "
# An ended input answers every question with nothing, and would be asked for ever.
SILENCES = 5
NO_EDITOR = "`export EDITOR=nano`, or `git config --global core.editor nano`"


@dataclass(frozen=True)
class Verdict:
    """How a review ended: "accept", "migrate" or "discard", and what the accepted file does."""

    answer: str
    operations: tuple[Operation, ...]


def review(settings: Settings, draft: Draft, terminal: Terminal, *, opens_editor: bool) -> Verdict:
    """Show the draft and ask, until there is an answer that ends it.

    Raises:
        ToolError: The editor failed; the draft is kept and named.
        InterruptedRunError: Ctrl-C or a closed terminal; the draft is kept and named.
    """
    try:
        return _review(settings, draft, terminal, opens_editor=opens_editor)
    except (KeyboardInterrupt, InterruptedRunError):
        terminal.say("")
        forget_dead_terminal()
        raise InterruptedRunError(f"interrupted; the draft is kept: {draft.shown}", hint=draft.kept_hint) from None


def _review(settings: Settings, draft: Draft, terminal: Terminal, *, opens_editor: bool) -> Verdict:
    editor = settings.editor or find_editor(settings.root, settings.child_environment)
    if opens_editor and editor:
        edit(settings, draft, terminal, editor)
    while True:
        sheet = inspect(draft, terminal)
        terminal.show("\n" + sheet_text(sheet, has_colour=terminal.has_colour) + "\n")
        answer = _ask(terminal, is_good=not sheet.problems)
        if answer == "discard":
            remove_draft(draft.path)
        if answer != "edit":
            return Verdict(answer, sheet.operations)
        if editor:
            edit(settings, draft, terminal, editor)
        else:
            terminal.say(
                f"no editor is configured ({NO_EDITOR}); edit {draft.shown} in another window, then answer here"
            )


def _ask(terminal: Terminal, *, is_good: bool) -> str:
    choices = {key: word for key, word in ANSWERS.items() if is_good or key in "ed"}
    for _ in range(SILENCES):
        while given := terminal.ask(GOOD if is_good else BAD).lower():
            found = [word for key, word in choices.items() if given in (key, word)]
            if found:
                return found[0]
            terminal.say(f"one of: {', '.join(choices)}")
    raise KeyboardInterrupt


def inspect(draft: Draft, terminal: Terminal) -> Sheet:
    """Read the draft as it is now: what keeps it out, and if nothing does, what it would do."""
    data = read_draft(draft.path)
    problems = find_problems(data, revision=draft.revision, down=draft.base.head)
    if problems:
        return Sheet(draft.shown, draft.message, (), "", "", problems)
    from stillroom.edges.alembic.draft import show_draft

    shown: Shown = in_child(lambda: show_draft(draft.base.project.layout, draft.path, draft.revision), terminal)
    found = (shown.problem,) if shown.problem else ()
    both = _sql(shown.upgrade), _sql(shown.downgrade)
    return Sheet(
        draft.shown,
        draft.message,
        shown.upgrade.operations,
        *both,
        found,
        notes=draft.notes,
        left_alone=draft.left_alone,
        locks=_locks(shown.upgrade),
    )


def _locks(rendered: Rendered) -> tuple[str, ...]:
    """Say what the upgrade would lock on a table that others use."""
    from stillroom.core.locks import plan_locks

    (found,) = plan_locks([rendered.sql])
    return tuple(f"{each.relation} {each.mode}" + (f" (blocks {each.blocks})" if each.blocks else "") for each in found)


def _sql(rendered: Rendered) -> str:
    if not rendered.problem:
        return rendered.sql
    return f"-- cannot be shown without a connection ({rendered.problem})\n{rendered.sql}".rstrip()


def edit(settings: Settings, draft: Draft, terminal: Terminal, editor: str) -> None:
    """Give the draft to the editor, and keep it whatever the editor does.

    Raises:
        ToolError: There is no such editor, it failed, or it left an empty file; the draft is kept and named.
        InterruptedRunError: Ctrl-C ended it, or the terminal was closed.
    """
    before = read_draft(draft.path)
    try:
        command = resolve_editor(editor, settings.child_environment)
        terminal.say(f"opening {draft.shown} with {' '.join(command)}")
        edited = run_editor(command, draft.path, settings.child_environment)
    except ToolError as error:
        raise _kept(draft, error) from None
    left = read_draft(draft.path).strip()
    if not left:
        save_draft(draft.path, before)
    if edited.is_interrupted:
        raise InterruptedRunError("interrupted", hint=draft.kept_hint)
    if edited.status:
        raise _kept(draft, ToolError(f"{command[0]} ended with {edited.status}", hint=draft.kept_hint))
    if not left:
        raise _kept(draft, ToolError(f"{command[0]} left an empty file, or none", hint=draft.kept_hint))


def _kept(draft: Draft, error: StillroomError) -> ToolError:
    return ToolError(f"{error.message}; the draft is kept: {draft.shown}", hint=error.hint)
