"""Speak the few words of PostgreSQL's protocol that tell whether a server answers on a socket.

Our own, because libpq reads PGPORT, PGSERVICE and the like from the environment, `pg_isready` does not say whether
the database exists, and this is on the way of every task.

Source: PostgreSQL manual, "Frontend/Backend Protocol", 3.0 messages.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from stillroom.core.sockets import PORT
from stillroom.errors import DatabaseError

SUPERUSER = "postgres"
PROTOCOL = 3 << 16
MISSING_DATABASE = "3D000"
NOT_YET = frozenset({"57P03", "57P01", "57P02"})
"""SQLSTATEs of a server that is starting, or going."""


@dataclass(frozen=True)
class Greeting:
    """What a server said to a connection.

    Args:
        code: Its SQLSTATE when it turned the connection away, else "".
        text: The words that came with the code.
        version: "18.6", or "" when it turned the connection away.
    """

    code: str = ""
    text: str = ""
    version: str = ""

    @property
    def is_ready(self) -> bool:
        """Say whether the connection was accepted."""
        return not self.code


def greet(folder: Path, database: str, *, timeout_s: float = 5) -> Greeting | None:
    """Connect to a database and leave again; None when nobody answers on the socket."""
    try:
        with _talk(folder, database, timeout_s) as (_, greeting):
            return greeting
    except (OSError, EOFError):
        return None


def run_statement(folder: Path, statement: str, *, database: str = "postgres", timeout_s: float = 60) -> None:
    """Run one statement without results.

    Raises:
        DatabaseError: The server is not there or refused it.
    """
    try:
        with _talk(folder, database, timeout_s) as (stream, greeting):
            answer = greeting
            if greeting.is_ready:
                _send(stream, b"Q", statement.encode() + b"\0")
                answer = _listen(stream)
    except (OSError, EOFError) as error:
        raise DatabaseError(f"the embedded server broke off: {error}", hint="`invoke server.status`") from error
    if not answer.is_ready:
        raise DatabaseError(f"the embedded server: {answer.text} ({answer.code})", hint="`invoke server.status`")


@contextmanager
def _talk(folder: Path, database: str, timeout_s: float) -> Iterator[tuple[socket.SocketIO, Greeting]]:
    """Open a connection, yield it with the server's greeting, and say goodbye."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as channel:
        channel.settimeout(timeout_s)
        channel.connect(str(folder / f".s.PGSQL.{PORT}"))
        with channel.makefile("rwb", buffering=0) as stream:
            words = b"".join(word.encode() + b"\0" for word in ("user", SUPERUSER, "database", database))
            _send(stream, b"", struct.pack("!I", PROTOCOL) + words + b"\0")
            greeting = _listen(stream)
            yield stream, greeting
            if greeting.is_ready:
                _send(stream, b"X", b"")


def _send(stream: socket.SocketIO, kind: bytes, body: bytes) -> None:
    stream.write(kind + struct.pack("!I", len(body) + 4) + body)
    stream.flush()


def _listen(stream: socket.SocketIO) -> Greeting:
    """Read messages until the server is ready for the next one or turns us away.

    Raises:
        EOFError: The server hung up in the middle.
    """
    version = ""
    while True:
        header = stream.read(5)
        if len(header) < 5:
            raise EOFError("the connection was closed")
        kind, length = header[:1], struct.unpack("!I", header[1:])[0]
        body = stream.read(length - 4)
        if kind == b"E":
            fields = {field[:1]: field[1:].decode(errors="replace") for field in body.split(b"\0") if field}
            return Greeting(code=fields.get(b"C", "?"), text=fields.get(b"M", ""))
        if kind == b"S" and body.startswith(b"server_version\0"):
            version = body.split(b"\0")[1].decode().partition(" ")[0]
        if kind == b"Z":
            return Greeting(version=version)
