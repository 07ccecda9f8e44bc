"""What the server.* commands share: they always mean the embedded server, whatever DATABASE_URL says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.edges.embedded import EmbeddedServer
    from stillroom.settings import Settings


def open_server(settings: Settings) -> EmbeddedServer:
    """Return the project's embedded server, running or not.

    Raises:
        SettingsError: There are no PostgreSQL programs, or the embedded server cannot run here.
        ToolError: Its folder belongs to another user.
    """
    from stillroom.edges.embedded import EmbeddedServer, find_binaries

    binaries = find_binaries(settings.pg_bin)
    return EmbeddedServer(settings.embedded_home, binaries=binaries, environment=settings.child_environment)


def other_database(settings: Settings) -> str:
    """Name the database the tasks use instead of the embedded server's; "" when they use the embedded one."""
    return settings.migrating_url.shown if settings.migrating_url else ""
