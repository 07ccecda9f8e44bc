"""A socket between an older program and the server: a request for the password in clear text does not get through.

Only the start of a session without TLS is read, up to the server's "authenticated"; after that bytes are passed on.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from stillroom.core.clear_text import METHODS, NONE, OK, permits
from stillroom.errors import ToolError

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

PORT = "5432"
PIECE_BYTES = 256 * 1024
MESSAGE_LIMIT_BYTES = 64 * 1024  # of those before a session; what is longer comes from no PostgreSQL
CONNECT_LIMIT_S = 30.0
FOLDER_LIMIT_BYTES = 80  # a socket's path may have 103 on macOS, 107 on Linux
AUTHENTICATION, ERROR = b"R", b"E"


class _RefusedError(Exception):
    """The server asked for what it must not get, or is none."""


@contextmanager
def watched(url: DatabaseUrl, rule: str, folder: Path) -> Iterator[dict[str, str]]:
    """Yield the variables that lead a program through the socket, as long as the block lasts.

    Args:
        url: One server, which is reached without TLS.
        rule: Which methods it may ask for, as in `require_auth`.
        folder: A private one, for the socket.

    Raises:
        ToolError: The socket cannot be made.
    """
    server = (dict(url.options).get("hostaddr") or url.host, int(url.port or PORT))
    with _short(folder) as place, socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(place / f".s.PGSQL.{PORT}"))
            listener.listen()
        except OSError as error:
            hint = "name a folder with a shorter path in TMPDIR"
            raise ToolError(f"{place}: no socket can be made there: {error.strerror or error}", hint=hint) from None
        threading.Thread(target=_accept, args=(listener, server, rule), daemon=True).start()
        try:
            yield {"PGHOST": str(place), "PGPORT": PORT, "PGSSLMODE": "disable", "PGGSSENCMODE": "disable"}
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """Choose a folder in which a socket's path is not too long; one that is made here is private as well."""
    if len(os.fsencode(folder)) <= FOLDER_LIMIT_BYTES:
        yield folder
    else:
        with TemporaryDirectory(prefix="stillroom-", dir="/tmp") as made:
            yield Path(made)


def _accept(listener: socket.socket, server: tuple[str, int], rule: str) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(client, server, rule), daemon=True).start()


def _serve(client: socket.socket, address: tuple[str, int], rule: str) -> None:
    with client, suppress(OSError):
        try:
            server = socket.create_connection(address, timeout=CONNECT_LIMIT_S)
        except OSError as error:
            client.sendall(_as_error("08001", f"could not connect: {error.strerror or error}"))
            return
        with server:
            server.settimeout(None)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sending = threading.Thread(target=_pass_on, args=(client, server), daemon=True)
            sending.start()
            _answer(server, client, rule)
            sending.join()


def _answer(server: socket.socket, client: socket.socket, rule: str) -> None:
    """Pass on what the server says; end both when it asks for what the rule forbids."""
    try:
        _let_in(server, client, rule)
    except _RefusedError as refused:
        with suppress(OSError):
            client.sendall(_as_error("28000", str(refused)))
        for each in (client, server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
    else:
        _pass_on(server, client)


def _let_in(server: socket.socket, client: socket.socket, rule: str) -> None:
    """Pass on the server's messages one by one until the client is authenticated, or turned away.

    Raises:
        _RefusedError: It asks for a method that the rule forbids, or speaks another protocol.
    """
    asked = NONE
    while head := _read(server, 5):
        kind, size = head[:1], struct.unpack(">I", head[1:])[0]
        if not 4 <= size <= MESSAGE_LIMIT_BYTES:
            raise _RefusedError("what answers is no PostgreSQL server")
        body = _read(server, size - 4)
        code = struct.unpack(">I", body[:4])[0] if kind == AUTHENTICATION and len(body) >= 4 else None
        asked = METHODS.get(code, asked) if code is not None else asked
        if (code == OK or code in METHODS) and not permits(rule, asked):
            said = "a cleartext password" if asked == "password" else asked
            raise _RefusedError(f'authentication method requirement "{rule}" failed: server requested {said}')
        client.sendall(head + body)
        if code == OK or kind == ERROR:
            return


def _read(source: socket.socket, size: int) -> bytes:
    """Read so many bytes; fewer, or none, at the end."""
    data = b""
    while len(data) < size and (piece := source.recv(size - len(data))):
        data += piece
    return data if len(data) == size else b""


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass on bytes to their end, and that end."""
    with suppress(OSError):
        while piece := source.recv(PIECE_BYTES):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _as_error(state: str, text: str) -> bytes:
    """Write what a server says when it turns a client away."""
    fields = [b"SFATAL", b"VFATAL", b"C" + state.encode(), b"M" + text.encode(errors="replace"), b""]
    body = b"\0".join(fields) + b"\0"
    return ERROR + struct.pack(">I", len(body) + 4) + body
