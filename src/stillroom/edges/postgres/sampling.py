"""Which locks a session holds while it runs a statement outside of a transaction, looked up again and again from beside."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg2

from stillroom.edges.postgres.measuring import read_locks

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

EVERY_S = 0.01


class Sampler:
    """A thread that looks while a statement runs.

    Args:
        connection: Beside the one that is looked at; nobody else uses it meanwhile.
        pid: Of the server process that is looked at.
    """

    def __init__(self, connection: Connection, pid: int) -> None:
        self._connection, self._pid = connection, pid
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: dict[tuple[int, str], tuple[float, float]] = {}

    def begin(self) -> None:
        """Look from now on."""
        self.end()
        self._ended, self._seen = threading.Event(), {}
        self._thread = threading.Thread(target=self._look, args=(self._ended,), daemon=True)
        self._thread.start()

    def end(self) -> dict[tuple[int, str], float]:
        """Look no more, and say what was seen: for each relation and mode the seconds between the first and the last time."""
        if self._thread is None:
            return {}
        self._ended.set()
        self._thread.join()
        self._thread = None
        return {key: last - first for key, (first, last) in self._seen.items()}

    def _look(self, ended: threading.Event) -> None:
        # A server that is gone is noticed where the work is done.
        with suppress(psycopg2.Error), self._connection.cursor() as cursor:
            while not ended.is_set():
                found, now = read_locks(cursor, self._pid), time.monotonic()
                for key in found:
                    self._seen[key] = (self._seen.get(key, (now, now))[0], now)
                ended.wait(EVERY_S)
