"""Where plain `alembic` goes, what it was asked for, and the hooks and answers that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillroom.commands._database import Target
    from stillroom.core.layout import Layout
    from stillroom.core.limits import Limits
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

# The inner functions of Alembic's commands that only read; anything else writes, and locks.
COMPARING = "retrieve_migrations"
READING = {
    COMPARING,
    "display_version",
    "_display_current_history",
    "show_current",
    "edit_current",
    "nothing",
}


@dataclass(frozen=True)
class Place:
    """Where a plain run goes, and whether it only reads."""

    settings: Settings
    target: Target
    layout: Layout
    limits: Limits
    terminal: Terminal
    is_reading: bool


def choose_options(settings: Settings, context: Any, metadata: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Add our hooks to the project's; where models are compared, with the answers given by `-x`.

    Raises:
        SettingsError: An answer cannot be read.
    """
    from stillroom.edges.alembic.hooks import configure_options

    if function_name(context) != COMPARING:
        return configure_options(options)
    from stillroom.core.generation import parse_answers
    from stillroom.edges.alembic.completing.findings import Findings

    given = [each.partition("=") for each in context.get_x_argument()]
    values = {
        name: [value for key, _, value in given if key == name]
        for name in ("rename", "fill", "replace", "allow", "online")
    }
    allowed = {each.strip() for value in values["allow"] for each in value.split(",")}
    answers = parse_answers(
        values["rename"],
        values["fill"],
        values["replace"],
        may_lose="data-loss" in allowed,
        is_online=bool(values["online"]),
    )
    return configure_options(options, metadata, findings=Findings(answers), unmanaged=settings.unmanaged_tables)


def function_name(context: Any) -> str:
    """Name the function that Alembic's command handed to the environment."""
    function = context._proxy.context_opts.get("fn")
    return getattr(function, "__name__", "")
