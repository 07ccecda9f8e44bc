"""PostgreSQL's messages as psycopg2 sends them: each statement whole, in a message of its own."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
QUERY = b"Q"


def read_messages(client: socket.socket) -> Iterator[bytes]:
    """Yield whole messages: the requests at the start have no letter before their length."""
    received, is_started = bytearray(), False
    while chunk := client.recv(65_536):
        received += chunk
        while len(received) >= (skip := int(is_started)) + 4:
            size = skip + struct.unpack_from(">I", received, skip)[0]
            if len(received) < size:
                break
            message = bytes(received[:size])
            del received[:size]
            if not is_started:
                (code,) = struct.unpack_from(">I", message, 4)
                is_started = code not in {SSL_REQUEST, GSS_REQUEST}
            yield message


def statement_of(message: bytes) -> str:
    """Return the statement a message holds; "" when it holds none."""
    return message[5:-1].decode("utf-8", "replace") if message[:1] == QUERY else ""


def is_commit(message: bytes) -> bool:
    """Ask whether a message ends a transaction for good."""
    return statement_of(message).strip().rstrip(";").lower() in {"commit", "end"}
