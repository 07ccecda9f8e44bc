"""Steps that plain `alembic` runs, held to the same honesty as those of the tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import RevisionStep
from alembic.util import CommandError

from stillroom.edges.alembic.entering import Entering
from stillroom.edges.alembic.honest import honest, tables_to_keep
from stillroom.edges.alembic.journal import Journal
from stillroom.edges.postgres.kept_settings import put_settings_back

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.edges.alembic.attempt import Attempt
    from stillroom.edges.postgres.ledger import Ledger


@contextmanager
def before_unlocated(look: Callable[[], None]) -> Iterator[None]:
    """Do something before Alembic says that it cannot locate a revision.

    Raises:
        CommandError: Alembic's own, where `look` has raised nothing.
    """
    try:
        yield
    except CommandError as error:
        if "Can't locate revision" in str(error):
            look()
        raise


def make_honest(context: Any, attempt: Attempt, raw: PsycopgConnection, ledger: Ledger | None = None) -> None:
    """Wrap each step that Alembic's command is going to run.

    Args:
        context: Alembic's `context` module, after `configure`.
        attempt: Of the session that was read before anything was open on it.
        raw: The connection that migrates.
        ledger: Where each step is entered; None without one.
    """
    migration = context.get_context()
    list_steps, kept = migration._migrations_fn, tables_to_keep(migration, raw)

    def steps(heads: Any, running: Any) -> Iterator[Any]:
        for step in list_steps(heads, running):
            if isinstance(step, RevisionStep):
                put_settings_back(raw, attempt.settings)
                direction = "upgrade" if step.is_upgrade else "downgrade"
                attempt.journal = Journal(ledger.facts, step.revision.revision, direction) if ledger else None
                attempt.start_step()
                entering = Entering(ledger, step.revision, direction, datetime.now(UTC)) if ledger else None
                step.migration_fn = honest(step.migration_fn, attempt, raw, kept, entering)
            yield step

    migration._migrations_fn = steps


@dataclass(frozen=True)
class Listed:
    """What Alembic's command would do.

    Args:
        revisions: Those that would run, in order.
        ends_at: What the version table would hold.
    """

    revisions: tuple[str, ...]
    ends_at: tuple[str, ...]


def list_steps(context: Any, current: tuple[str, ...]) -> Listed:
    """Ask Alembic's command what it would do from where the database stands; nothing is run.

    Raises:
        CommandError: Alembic's own, for what it was asked.
    """
    heads, revisions = set(current), []
    for step in context._proxy.context_opts["fn"](current, None):
        if isinstance(step, RevisionStep):
            revisions.append(step.revision.revision)
        else:
            heads = (heads - set(step.from_)) | set(step.to_)
    return Listed(tuple(revisions), tuple(sorted(heads)))
