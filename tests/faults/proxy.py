"""K3: a proxy in front of a server that cuts a connection at a chosen COMMIT, hangs, or refuses.

It listens on 127.0.0.1 and speaks to the server's socket. A connection with TLS it could not read.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.faults.outside import until
from tests.faults.simple_protocol import is_commit, read_messages, statement_of
from tests.servers import Database, Server

Side = Literal["before", "after", "late"]
Then = Literal["accept", "refuse", "hang"]
LATE_S = 2.0


@dataclass
class Cut:
    """Where to cut.

    Args:
        at: The number of the COMMIT, among those that count; 1 is the first.
        side: "before" it reaches the server; "after" the server has confirmed it, which the client does not hear;
            "late": the client is cut, and the server gets it `LATE_S` seconds later.
        containing: Only transactions count that held a statement with these words.
        then: What new connections meet from then on.
    """

    at: int
    side: Side
    containing: str
    then: Then
    seen: int = 0
    happened: threading.Event = field(default_factory=threading.Event)

    def is_due(self, statements: list[str]) -> bool:
        """Count a COMMIT and say whether it is the one."""
        if self.happened.is_set() or not any(self.containing in each for each in statements):
            return False
        self.seen += 1
        return self.seen == self.at


class Proxy:
    """A running proxy.

    Args:
        target: The server's socket.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._pairs: list[_Pair] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.flowing = threading.Event()
        self.flowing.set()
        self.cut: Cut | None = None
        self.connections = 0
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def url(self, database: Database) -> str:
        """The address of a database through the proxy."""
        return f"postgresql://{database.server.superuser}@127.0.0.1:{self.port}/{database.name}"

    def cut_at_commit(self, at: int = 1, *, side: Side, containing: str = "", then: Then = "accept") -> Cut:
        """Cut the connection at a COMMIT that is still to come."""
        self.cut = Cut(at, side, containing, then)
        return self.cut

    def cut_all(self) -> None:
        """Cut every connection; new ones are let in."""
        for pair in self._pairs:
            pair.cut()

    def hang(self) -> None:
        """Stop forwarding, and let nobody notice: the kernel still answers for us."""
        self.flowing.clear()

    def refuse(self) -> None:
        """Let in nobody any more; what is open goes on."""
        # Closing alone would leave the port open as long as accept() waits on it.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def become(self, then: Then) -> None:
        """Meet new connections as the cut asked for."""
        if then == "refuse":
            self.refuse()
        elif then == "hang":
            self.hang()

    def close(self) -> None:
        """End everything."""
        self.refuse()
        self.flowing.set()
        self._thread.join()
        for pair in self._pairs:
            pair.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._target))
            except OSError:
                client.close()
                server.close()
                continue
            pair = _Pair(self, client, server)
            self._pairs.append(pair)
            pair.start()


class _Pair:
    """One client and its connection to the server."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._statements: list[str] = []
        self._is_muted = threading.Event()
        self._confirmed = threading.Event()

        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._to_server, self._to_client)]

    def start(self) -> None:
        """Forward in both directions."""
        for each in self._threads:
            each.start()

    def close(self) -> None:
        """End both connections, and wait until nobody uses them."""
        self.cut()
        for each in self._threads:
            each.join()
        self._client.close()
        self._server.close()

    def cut(self) -> None:
        """End both connections."""
        _end(self._client)
        _end(self._server)

    def _to_server(self) -> None:
        try:
            for message in read_messages(self._client):
                self._proxy.flowing.wait()
                cut = self._proxy.cut
                if is_commit(message) and cut is not None and cut.is_due(self._statements):
                    self._cut_at(cut, message)
                    return
                self._remember(message)
                self._server.sendall(message)
        except OSError:
            pass
        finally:
            self.cut()

    def _cut_at(self, cut: Cut, commit: bytes) -> None:
        self._proxy.become(cut.then)
        if cut.side == "after":
            self._is_muted.set()
            self._server.sendall(commit)
            assert self._confirmed.wait(30), "the server did not confirm the COMMIT"
        if cut.side == "late":
            self._is_muted.set()
            _end(self._client)
            cut.happened.set()
            time.sleep(LATE_S)
            self._server.sendall(commit)
            self._confirmed.wait(30)
        self.cut()
        cut.happened.set()

    def _to_client(self) -> None:
        with suppress(OSError):
            while chunk := self._server.recv(65_536):
                if self._is_muted.is_set():
                    self._confirmed.set()
                    continue
                self._proxy.flowing.wait()
                self._client.sendall(chunk)
        if not self._is_muted.is_set():
            self.cut()

    def _remember(self, message: bytes) -> None:
        """Keep the statements since the last COMMIT or ROLLBACK."""
        text = statement_of(message)
        if is_commit(message) or text.strip().lower().startswith("rollback"):
            self._statements.clear()
        elif text:
            self._statements.append(text)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(server: Server) -> Iterator[Proxy]:
    """Run a proxy in front of a server as long as the block lasts."""
    running = Proxy(Path(server.socket, f".s.PGSQL.{server.port}"))
    with closing(running):
        yield running


def wait_for_cut(cut: Cut) -> None:
    """Wait until the connection has been cut."""
    until(cut.happened.is_set, "the proxy cuts the connection")
