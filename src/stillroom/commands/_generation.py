"""The comparison of models and database, made in a child, and what it must not be mistaken for."""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillroom.commands._asking import require_use
from stillroom.commands._base import Base
from stillroom.commands._database import search_path_of
from stillroom.core.generation import Answers
from stillroom.core.guard import require_allowed
from stillroom.core.proposals import propose_message
from stillroom.core.review import drops_of_strangers, drops_only_tables
from stillroom.errors import InterruptedRunError, RefusedError

if TYPE_CHECKING:
    from stillroom.edges.alembic.autogenerate import Generated
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

NONE = Answers()


@dataclass(frozen=True)
class Wish:
    """What was asked for.

    Args:
        message: Cleaned; empty for a proposal.
        is_empty: Compare nothing.
        edits: Open the configured editor without being asked.
        allowed: Dangers allowed by name.
        answers: What only a person knows, as far as it was said on the command line or at the terminal.
    """

    message: str
    is_empty: bool
    edits: bool
    allowed: frozenset[str]
    answers: Answers = NONE

    @property
    def command(self) -> str:
        """The command as it was typed, for a hint."""
        return "make-migration" + (f" -m {shlex.quote(self.message)}" if self.message else "")


def generate(settings: Settings, base: Base, wish: Wish, terminal: Terminal) -> Generated:
    """Compare models and database in a child, and refuse what models that were not imported look like.

    Raises:
        RefusedError: The models do not import, there are none, or tables are all that would go.
        DatabaseError: The database did not answer.
    """
    from stillroom.edges.alembic.autogenerate import Source, generate_revision

    revision = secrets.token_hex(6)
    source = Source(
        layout=base.project.layout,
        url=base.target.url,
        search_path=search_path_of(settings, base.target),
        lock_timeout_ms=settings.lock_timeout_ms,
        revision=revision,
        head=base.head,
        is_empty=wish.is_empty,
        answers=wish.answers,
        unmanaged=settings.unmanaged_tables,
    )
    generated: Generated = in_child(lambda: generate_revision(source), terminal)
    if not wish.is_empty:
        _require_models(generated, base, wish)
        require_use(generated.unused)
    return generated


def in_child(work: Callable[[], Any], terminal: Terminal) -> Any:
    """Run the project's code in a child: what it prints, imports or breaks stays there.

    Raises:
        InterruptedRunError: Ctrl-C, or another signal.
        RefusedError: The code left the process.
    """
    from stillroom.edges.child import Ended, run_in_child

    def body(_: Callable[[str], None]) -> Any:
        try:
            return work()
        except KeyboardInterrupt:
            raise _interrupted() from None

    try:
        outcome = run_in_child(body, terminal, command="make-migration")
    except InterruptedRunError:
        raise _interrupted() from None
    if isinstance(outcome, Ended):
        hint = "its last words are above; correct the models, env.py or the draft"
        raise RefusedError(f"the process that ran the project's code {outcome.status}", hint=hint)
    return outcome


def _interrupted() -> InterruptedRunError:
    return InterruptedRunError("interrupted; no revision was made", hint="`invoke make-migration` starts anew")


def _require_models(generated: Generated, base: Base, wish: Wish) -> None:
    layout = base.project.layout
    env = (layout.script_location / "env.py").relative_to(layout.root)
    unimported = f"; not imported: {', '.join(generated.unimported)}" if generated.unimported else ""
    if not generated.table_count:
        raise RefusedError(
            f"the metadata that {env} hands over has no tables, so there is nothing to compare{unimported}",
            hint=f"import every module with tables before `run(...)` in {env}, for instance in src/models/__init__.py",
        )
    if drops_only_tables(generated.operations):
        tables = ", ".join(each.table for each in generated.operations if each.kind == "drop_table")
        cause = f"likely cause: {env} does not import their models (src/models/__init__.py){unimported}; another tool's go into STILLROOM_UNMANAGED_TABLES"
        act, detail = "make-migration that only drops tables", f"it would drop {tables}; {cause}"
        require_allowed(act, base.standing, allowed=wish.allowed, command=wish.command, detail=detail)
    strangers = drops_of_strangers(generated.operations, _texts(base))
    if strangers:
        act = "make-migration that drops tables no revision made"
        detail = f"it would drop {', '.join(strangers)}; another tool's go into STILLROOM_UNMANAGED_TABLES"
        require_allowed(act, base.standing, allowed=wish.allowed, command=wish.command, detail=detail)


def _texts(base: Base) -> list[str]:
    root = base.project.layout.root
    paths = [root / each.path for each in base.project.history.revisions.values() if each.path]
    return [each.read_text("utf-8", errors="replace") for each in paths if each.is_file()]


def propose(generated: Generated, base: Base) -> str:
    """Name the revision by what it does."""
    return propose_message(generated.operations, is_first=base.head is None)
