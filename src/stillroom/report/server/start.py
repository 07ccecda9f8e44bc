"""`invoke server.start` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report.server import facts, other_database

if TYPE_CHECKING:
    from stillroom.commands.server.start import ServerStarted


def text(result: ServerStarted) -> str:
    """Say where the server is; the last line, whether it was started or found."""
    state = result.state
    verb = "started" if result.how == "started" else "was running already"
    last = f"embedded server: PostgreSQL {state.version} {verb}, pid {state.pid}"
    return "\n".join([*facts(state), *other_database(result.other_database), last])
