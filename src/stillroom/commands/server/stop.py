"""`invoke server.stop`: stop the embedded server; its data stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands.server import open_server, other_database

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class ServerStopped:
    """The server does not run.

    Args:
        was_running: It did, before.
        data: Where its data stays.
        other_database: The database the tasks use instead; "" when they use this server's.
    """

    was_running: bool
    data: Path
    other_database: str


def stop_server(settings: Settings, terminal: Terminal) -> ServerStopped:
    """Stop the embedded server; sessions end, what they had not committed is undone.

    Raises:
        SettingsError: There are no PostgreSQL programs.
        ToolError: It did not stop.
    """
    server = open_server(settings)
    return ServerStopped(server.stop(), server.data, other_database(settings))
