"""Ctrl-C, SIGTERM and SIGHUP while a statement runs: the statement is cancelled in the server, then we stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


class Interrupted(BaseException):  # noqa: N818  (like KeyboardInterrupt: `except Exception` in a revision must not catch it)
    """A signal arrived; raised in the main thread at the next instruction."""


class Flag:
    """Whether a signal has arrived: SQLAlchemy turns the interruption into other errors, so the flag decides."""

    def __init__(self) -> None:
        self.is_set = False

    def handle(self, number: int, _: FrameType | None) -> None:
        """Note the signal and stop what runs."""
        self.is_set = True
        raise Interrupted(signal.Signals(number).name)


@contextmanager
def cancelling(connection: Connection) -> Iterator[Flag]:
    """Cancel the running statement of the connection when a signal arrives.

    Python runs handlers only between instructions, and libpq waits inside one; so a thread reads the signal's number
    from a pipe and asks the server to cancel.
    """
    flag = Flag()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    before = {number: signal.signal(number, flag.handle) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    threading.Thread(target=_cancel_on_signal, args=(reader, connection), daemon=True).start()
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        os.close(writer)


def _cancel_on_signal(reader: int, connection: Connection) -> None:
    import psycopg2

    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while pipe.read(1):
            # A connection that is gone, or does nothing, needs no cancelling.
            with contextlib.suppress(psycopg2.Error):
                connection.cancel()
