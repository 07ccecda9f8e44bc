"""The models compared with the database, as autogenerate does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import produce_migrations
from alembic.operations import ops
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from stillroom.core.operations import Operation
from stillroom.edges.alembic.attempt import Attempt
from stillroom.edges.alembic.completing.operations import UnansweredOp
from stillroom.edges.alembic.config import importing, make_config
from stillroom.edges.alembic.engine import make_engine
from stillroom.edges.alembic.hooks import configure_options
from stillroom.edges.alembic.models import find_unimported, unimported_notes
from stillroom.edges.alembic.recording import describe_operation

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.layout import Layout


@dataclass
class _Comparison:
    """What `stillroom.env.run` is given instead of a run of steps."""

    connection: Connection
    search_path: str | None
    found: tuple[Operation, ...] = ()
    tables: int = 0

    def run(self, context: Any, metadata: Any, options: dict[str, Any]) -> None:
        """Be called by `stillroom.env.run`: compare, change nothing."""
        each = metadata if isinstance(metadata, list | tuple) else [metadata]
        self.tables = sum(len(one.tables) for one in each)
        engine = make_engine(self.connection, Attempt(0, search_path=self.search_path))
        self.connection.set_session(readonly=True)
        with engine.connect() as connection:
            context.configure(connection=connection, target_metadata=metadata, **configure_options(options, metadata))
            script = produce_migrations(context.get_context(), metadata)
            assert script.upgrade_ops is not None
            self.found = tuple(
                describe_operation(one) for one in _flat(script.upgrade_ops.ops) if not isinstance(one, UnansweredOp)
            )


@dataclass(frozen=True)
class Compared:
    """What was found.

    Args:
        operations: What would have to be done so that the database matches the models.
        tables: How many the models have.
        notes: Modules whose tables nobody compared.
    """

    operations: tuple[Operation, ...]
    tables: int
    notes: tuple[str, ...] = ()


def compare_models(layout: Layout, connection: Connection, *, search_path: str | None) -> Compared:
    """Find what would have to be done so that the database matches the models.

    Args:
        layout: The project.
        connection: Nothing is open on it.
        search_path: What the settings say of it; None keeps the server's own.

    Raises:
        RefusedError: The models or env.py do not import.
    """
    comparison = _Comparison(connection, search_path)
    config = make_config(layout, comparison)
    scripts = ScriptDirectory.from_config(config)
    with importing(), EnvironmentContext(config, scripts, fn=lambda *_: []):
        scripts.run_env()
    return Compared(comparison.found, comparison.tables, unimported_notes(find_unimported(layout)))


def _flat(operations: list[Any]) -> Iterator[Any]:
    for each in operations:
        if isinstance(each, ops.OpContainer) and not isinstance(each, ops.CreateTableOp):
            yield from _flat(each.ops)
        else:
            yield each
