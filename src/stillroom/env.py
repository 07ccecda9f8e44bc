"""What a project's migrations/env.py calls: `run(metadata)`.

Plain `alembic` typed by hand comes through here as well, and gets the same URL, timeouts and lock as the tasks.
"""

from __future__ import annotations

from typing import Any


def run(metadata: Any, **options: Any) -> None:
    """Run whatever Alembic was asked for, on the database of the settings.

    Args:
        metadata: The models' metadata, or a list of them.
        options: Everything that Alembic's `context.configure` takes; hooks are chained, not replaced.

    Raises:
        CommandError: Plain alembic was refused; one line, as Alembic's own errors are.
    """
    from alembic import context

    from stillroom.edges.alembic.config import KEY
    from stillroom.edges.alembic.honest import require_no_step_under_way

    require_no_step_under_way()
    given = context.config.attributes.get(KEY)
    if given is not None:
        given.run(context, metadata, options)
        return
    from alembic.util import CommandError

    from stillroom.commands._plain import run_plain
    from stillroom.errors import StillroomError

    outer = context._proxy  # type: ignore[attr-defined]
    try:
        run_plain(context, metadata, options)
    except StillroomError as error:
        if context._proxy is not outer:  # type: ignore[attr-defined]
            outer._install_proxy()  # a revision called Alembic, which takes this away on leaving and stumbles over it
        raise CommandError(f"{error.message}\nhint:  {error.hint}") from None
