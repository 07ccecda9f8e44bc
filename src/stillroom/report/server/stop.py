"""`invoke server.stop` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report.server import other_database

if TYPE_CHECKING:
    from stillroom.commands.server.stop import ServerStopped


def text(result: ServerStopped) -> str:
    """Say whether there was something to stop, and where the data stays."""
    last = (
        f"embedded server: stopped; its data stays in {result.data}"
        if result.was_running
        else "embedded server: not running, nothing to do"
    )
    return "\n".join([*other_database(result.other_database), last])
