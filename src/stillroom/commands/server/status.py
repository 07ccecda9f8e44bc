"""`invoke server.status`: what there is of the embedded server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands.server import open_server, other_database

if TYPE_CHECKING:
    from stillroom.edges.embedded import ServerState
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class ServerShown:
    """The server as it is.

    Args:
        state: What there is of it.
        other_database: The database the tasks use instead; "" when they use this server's.
    """

    state: ServerState
    other_database: str


def show_server(settings: Settings, terminal: Terminal) -> ServerShown:
    """Look at the embedded server; changes nothing.

    Raises:
        SettingsError: There are no PostgreSQL programs.
        ToolError: Its folder belongs to another user.
    """
    return ServerShown(open_server(settings).state(), other_database(settings))
