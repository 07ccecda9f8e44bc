"""K7: something that answers like a PostgreSQL server, says no to TLS or shows anybody's certificate, and asks for the password."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.simple_protocol import GSS_REQUEST, SSL_REQUEST

CLEAR_TEXT_PASSWORD = b"R" + struct.pack(">II", 8, 3)


@dataclass
class FakeServer:
    """A running one.

    Args:
        port: Where it listens on 127.0.0.1.
        asked: How many clients got as far as being asked for the password.
        heard: Everything they sent after that.
    """

    port: int
    asked: int = 0
    heard: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Middle:
    """It stands in the middle: until it turns, it passes everything on to the real server.

    Args:
        port: The real server's, on 127.0.0.1.
        has_turned: Whether it asks by itself now.
    """

    port: int
    has_turned: Callable[[], bool]


@contextmanager
def fake_server(certificate: tuple[Path, Path] | None = None, *, middle: Middle | None = None) -> Iterator[FakeServer]:
    """Run one as long as the block lasts.

    Args:
        certificate: Its certificate and key, to say yes to TLS; None says no.
        middle: It is in the middle of this; else it is a fake from the start.
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        fake = FakeServer(int(listener.getsockname()[1]))
        threading.Thread(target=_listen, args=(fake, listener, context, middle), daemon=True).start()
        try:
            yield fake
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _listen(fake: FakeServer, listener: socket.socket, context: ssl.SSLContext | None, middle: Middle | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        if middle and not middle.has_turned():
            threading.Thread(target=_stand_between, args=(client, middle.port), daemon=True).start()
            continue
        with suppress(OSError), closing(client):
            client.settimeout(20)
            _serve(fake, client, context)


def _stand_between(client: socket.socket, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as real:
        sending = threading.Thread(target=_pass_on, args=(client, real), daemon=True)
        sending.start()
        _pass_on(real, client)
        sending.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(fake: FakeServer, client: socket.socket, context: ssl.SSLContext | None) -> None:
    while (code := _read_request(client)) in {SSL_REQUEST, GSS_REQUEST}:
        if code == SSL_REQUEST and context is not None:
            client.sendall(b"S")
            with context.wrap_socket(client, server_side=True) as secured:
                _serve(fake, secured, None)
            return
        client.sendall(b"N")
    if code is None:
        return
    fake.asked += 1
    client.sendall(CLEAR_TEXT_PASSWORD)
    while chunk := client.recv(4096):
        fake.heard += chunk


def _read_request(client: socket.socket) -> int | None:
    """Read one request of the start and return its code; None at the end."""
    head = client.recv(8, socket.MSG_WAITALL) if not isinstance(client, ssl.SSLSocket) else client.recv(8)
    if len(head) < 8:
        return None
    size, code = struct.unpack(">II", head)
    if size > 8:
        client.recv(size - 8)
    return int(code)
