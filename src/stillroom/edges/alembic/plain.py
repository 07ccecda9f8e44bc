"""Steps that plain `alembic` runs, held to the same honesty as those of the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import RevisionStep

from stillroom.edges.alembic.honest import honest, tables_to_keep
from stillroom.edges.postgres.kept_settings import put_settings_back

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.edges.alembic.attempt import Attempt


def make_honest(context: Any, attempt: Attempt, raw: PsycopgConnection) -> None:
    """Wrap each step that Alembic's command is going to run.

    Args:
        context: Alembic's `context` module, after `configure`.
        attempt: Of the session that was read before anything was open on it.
        raw: The connection that migrates.
    """
    migration = context.get_context()
    list_steps, kept = migration._migrations_fn, tables_to_keep(migration, raw)

    def steps(heads: Any, running: Any) -> Iterator[Any]:
        for step in list_steps(heads, running):
            if isinstance(step, RevisionStep):
                put_settings_back(raw, attempt.settings)
                attempt.start_step()
                step.migration_fn = honest(step.migration_fn, attempt, raw, kept)
            yield step

    migration._migrations_fn = steps
