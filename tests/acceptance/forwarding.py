"""A server's socket made reachable over TCP: for users whom its folder keeps out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.servers import Database


@contextmanager
def forwarded(database: Database) -> Iterator[str]:
    """Yield a URL of the database on a loopback port that leads to its socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, database), daemon=True).start()
        yield f"postgresql://{database.server.superuser}@127.0.0.1:{listener.getsockname()[1]}/{database.name}"
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, database: Database) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{database.server.socket}/.s.PGSQL.{database.server.port}")
            for pair in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError), source, target:
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
