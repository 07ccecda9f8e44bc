"""The embedded server: PostgreSQL below the project's folder, for development and tests.

Socket only, and no password: the folders of data and socket are 0700, so that who can reach it is who may use it.
"""

from __future__ import annotations

from stillroom.edges.embedded.binaries import Binaries, find_binaries, system_folders, wheel_folders
from stillroom.edges.embedded.server import DATABASE, EmbeddedServer
from stillroom.edges.embedded.state import ServerState

__all__ = ["DATABASE", "Binaries", "EmbeddedServer", "ServerState", "find_binaries", "system_folders", "wheel_folders"]
