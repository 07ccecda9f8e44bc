"""The history as Alembic itself reads it: for files whose ids are no literals, and as the tests' oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.core.history import History, Revision, make_history
from stillroom.edges.alembic.config import load_scripts, make_config

if TYPE_CHECKING:
    from stillroom.core.layout import Layout


def read_history(layout: Layout) -> History:
    """Import every revision and take over what Alembic knows of it.

    Raises:
        RefusedError: A revision does not import, or the graph is not sound.
    """
    scripts = load_scripts(make_config(layout))
    found = []
    for script in scripts.walk_revisions():
        path = script.path.removeprefix(f"{layout.root}/")
        found.append(
            Revision(
                script.revision,
                _tuple(script.down_revision),
                _tuple(script.dependencies),
                tuple(sorted(script.branch_labels or ())),
                (script.doc or "").split("\n")[0],
                path,
            )
        )
    return make_history(found)


def _tuple(value: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
