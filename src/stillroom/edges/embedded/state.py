"""What there is of the embedded server at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerState:
    """What there is of the server.

    Args:
        is_running: It takes connections.
        pid: Its main process; None when there is none.
        version: The running server's, else the programs' ("18.6").
        data: PostgreSQL's data folder.
        data_major: The major version that made it; None when it was not made yet.
        socket: The folder of the socket.
        log: Its log file.
        runs_as: The operating system user it runs as.
        note: Where the data went and why, when it is not in the project's folder; else "".
    """

    is_running: bool
    pid: int | None
    version: str
    data: Path
    data_major: int | None
    socket: Path
    log: Path
    runs_as: str
    note: str
