"""Doctor's look at the project: are the revisions one sound history, and do the models import?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stillroom.commands._checkup import Ground
from stillroom.core.findings import Finding, from_error, shortened
from stillroom.edges.scripts import find_broken, read_history, read_layout
from stillroom.errors import DatabaseError, RefusedError, StillroomError

if TYPE_CHECKING:
    from stillroom.core.history import History
    from stillroom.core.layout import Layout
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

LONGEST_IMPORT_S = 30.0


def find_ground(settings: Settings, terminal: Terminal) -> tuple[Ground, tuple[Finding, ...]]:
    """Read the project's files, none is imported; what cannot be read is a finding, and the rest goes on without it."""
    try:
        layout = read_layout(settings.root)
    except StillroomError as error:
        return Ground(settings, terminal), (from_error("project-files", error),)
    broken = find_broken(layout)
    found = shortened(from_error("revision-broken", each) for each in broken)
    try:
        history = read_history(layout)
    except RefusedError as error:
        is_said = error.message in {each.message for each in broken}
        return Ground(settings, terminal, layout), found if is_said else (*found, from_error("history-broken", error))
    if history.unread:
        what = f"{history.unread[0]}: its id or a parent's is no plain string, so that it is known only by running it"
        hint = "write both as plain strings"
        return Ground(settings, terminal, layout), (*found, Finding("problem", "revision-id", what, hint))
    return Ground(settings, terminal, layout, history), found


def check_heads(ground: Ground) -> Iterator[Finding]:
    """Say whether the history has one end."""
    if ground.history is None:
        return
    heads = ground.history.heads
    if len(heads) > 1:
        what = f"there are {len(heads)} heads: {', '.join(heads)} (Alembic: Multiple head revisions are present)"
        hint = "`invoke heads.merge` joins them, or `invoke migrate --target heads` where they are meant"
        yield Finding("problem", "several-heads", what, hint)
    else:
        yield Finding("ok", "history", _describe(ground.history))


def _describe(history: History) -> str:
    count = len(history.revisions)
    return f"{count} revision{'s' if count != 1 else ''}, one head: {history.heads[0]}" if count else "no revisions yet"


def check_models(ground: Ground) -> Iterator[Finding]:
    """Import env.py and the models in a process of their own, with a time limit; no revision is imported.

    Raises:
        InterruptedRunError: Ctrl-C, or another signal.
    """
    if ground.layout is None:
        return
    from stillroom.edges.child import Ended

    correct = "`invoke check` imports them again"
    try:
        outcome = _import_in_child(ground.layout, ground.terminal)
    except DatabaseError:
        what = f"env.py or the models did not import within {LONGEST_IMPORT_S:.0f} s; they were stopped"
        yield Finding("problem", "models-hang", what, f"look for what waits at the top of a module; {correct}")
        return
    except RefusedError as error:
        yield Finding(
            "problem",
            "models-import",
            f"env.py or the models do not import: {error.message}",
            f"correct that line; {correct}",
        )
        return
    if isinstance(outcome, Ended):
        what = f"the process that imported env.py and the models {outcome.status}"
        yield Finding("problem", "models-import", what, f"its last words are above; {correct}")
        return
    tables, unimported = outcome
    if tables:
        yield Finding("ok", "models", f"env.py and the models import, {tables} table{'s' if tables != 1 else ''}")
    else:
        missed = f"; not imported: {', '.join(unimported)}" if unimported else ""
        hint = "import every module with tables before `run(...)` in env.py, for instance in src/models/__init__.py"
        yield Finding("problem", "models-empty", f"the models import, and have no tables{missed}", hint)


def _import_in_child(layout: Layout, terminal: Terminal) -> Any:
    from stillroom.edges.child import run_in_child
    from stillroom.edges.child_body import Voice

    def work(voice: Voice) -> tuple[int, tuple[str, ...]]:
        from stillroom.edges.alembic.importing import import_models

        # One sign of life: from here on the parent counts the silence.
        voice.pulse()
        return import_models(layout)

    return run_in_child(work, terminal, command="doctor", longest_silence_s=LONGEST_IMPORT_S)
