"""Import env.py and the models as Alembic does, and nothing else: no revision, no database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from stillroom.edges.alembic.config import importing, make_config
from stillroom.edges.alembic.models import find_unimported

if TYPE_CHECKING:
    from stillroom.core.layout import Layout


@dataclass
class _Asked:
    """What `stillroom.env.run` is given instead of a run of steps."""

    tables: int = 0

    def run(self, context: Any, metadata: Any, options: dict[str, Any]) -> None:
        """Be called by `stillroom.env.run`: count the tables."""
        del context, options
        each = metadata if isinstance(metadata, list | tuple) else [metadata]
        self.tables = sum(len(one.tables) for one in each)


def import_models(layout: Layout) -> tuple[int, tuple[str, ...]]:
    """Import env.py and what it imports; it belongs into a process of its own.

    Returns:
        The number of tables, and the modules beside the models that nothing imported.

    Raises:
        RefusedError: The file and line where it broke.
    """
    asked = _Asked()
    config = make_config(layout, asked)
    with importing():
        scripts = ScriptDirectory.from_config(config)
        with EnvironmentContext(config, scripts, fn=lambda *_: []):
            scripts.run_env()
    return asked.tables, find_unimported(layout)
