"""K7: something that answers like a PostgreSQL server, says no to TLS or shows anybody's certificate, and asks for the password."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
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


@contextmanager
def fake_server(certificate: tuple[Path, Path] | None = None) -> Iterator[FakeServer]:
    """Run one as long as the block lasts.

    Args:
        certificate: Its certificate and key, to say yes to TLS; None says no.
    """
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        fake = FakeServer(int(listener.getsockname()[1]))
        threading.Thread(target=_listen, args=(fake, listener, context), daemon=True).start()
        try:
            yield fake
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


def _listen(fake: FakeServer, listener: socket.socket, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with suppress(OSError), closing(client):
            client.settimeout(20)
            _serve(fake, client, context)


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
