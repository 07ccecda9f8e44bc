"""`invoke server.start`: make sure that the embedded server runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands.server import open_server, other_database

if TYPE_CHECKING:
    from stillroom.edges.embedded import ServerState
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class ServerStarted:
    """The server runs.

    Args:
        state: What there is of it.
        how: "started", or "attached" when it was running already.
        other_database: The database the tasks use instead; "" when they use this server's.
    """

    state: ServerState
    how: str
    other_database: str


def start_server(settings: Settings, terminal: Terminal) -> ServerStarted:
    """Start the embedded server, or find it running.

    Raises:
        SettingsError: There are no PostgreSQL programs, or they are of another major version than the data.
        ToolError: The server did not start.
        DatabaseError: Its database could not be made.
    """
    server = open_server(settings)
    if not server.data.exists():
        terminal.say(f"making a PostgreSQL {server.binaries.version} in {server.base}")
    how = server.start()
    return ServerStarted(server.state(), how, other_database(settings))
