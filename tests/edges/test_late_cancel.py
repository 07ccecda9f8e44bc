"""A cancel that was meant for the statement before arrives in the next one: cleaning up goes on."""

from __future__ import annotations

import threading
import time
from contextlib import closing

from stillroom.edges.postgres.databases import drop
from tests.counting import Counted
from tests.servers import Server

ROUNDS = 20


def test_a_late_cancel_does_not_keep_a_half_restored_database(server: Server, counted: Counted) -> None:
    """F92: seen without a second try: 44 of 60 databases stayed."""
    left = 0
    with closing(server.connect()) as admin, closing(server.connect()) as other, admin.cursor() as cursor:
        for number in range(ROUNDS):
            cursor.execute(f"create database late_{server.major}")
            late = threading.Thread(target=_cancel, args=(other, admin.info.backend_pid, number / ROUNDS * 0.004))
            late.start()

            drop(admin, f"late_{server.major}")

            late.join()
            cursor.execute("select count(*) from pg_database where datname = %s", (f"late_{server.major}",))
            left += cursor.fetchone()[0]

    counted(f"{ROUNDS} late cancels, {left} databases left")
    assert left == 0


def _cancel(connection, pid: int, after_s: float) -> None:
    time.sleep(after_s)
    with connection.cursor() as cursor:
        cursor.execute("select pg_cancel_backend(%s)", (pid,))
