"""Reads that somebody keeps waiting: the wait is bounded, who holds the table is named, and a signal ends it at once."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.commands.support import (
    current,
    finish,
    holding_lock,
    in_transaction,
    interrupt,
    launch,
    query,
    until,
    write_revision,
)
from tests.faults.outside import free_port
from tests.servers import Project

FIRST = "aaaa00000001"
BUSY = "select count(*) from pg_locks where not granted and relation = 'alembic_version'::regclass"
LOOKS = [("status",), ("history",), ("check",), ("mark",)]


@pytest.mark.parametrize("table", ["alembic_version", "stillroom.mark"])
def test_a_task_that_only_looks_names_who_has_locked_what_it_reads(migrated: Project, table: str) -> None:
    """F42, F44: exit 4 after some seconds, with the statement that ends the other session."""
    with in_transaction(migrated, f"lock table {table}"):
        started = time.monotonic()
        processes = [launch(migrated, *task) for task in LOOKS]
        ended = [finish(process) for process in processes]
        seconds = time.monotonic() - started

    assert [code for code, _, _ in ended] == [4] * len(LOOKS), ended
    for _, _, stderr in ended:
        assert ", postgres, no application name, idle in transaction for " in stderr
        assert f"has locked {table.rpartition('.')[2]}\n" in stderr
        assert "`select pg_terminate_backend(" in stderr
    assert seconds < 20


def test_a_migration_waits_for_a_locked_version_table_as_a_step_waits(migrated: Project) -> None:
    """F43: within STILLROOM_LOCK_TRIES, before the migration lock is taken."""
    write_revision(migrated, FIRST, "op.execute('create table extra ()')")
    few = {"STILLROOM_LOCK_TRIES": "1"}

    with in_transaction(migrated, "lock table alembic_version"):
        waiting = launch(migrated, "migrate")
        given_up = migrated.invoke("migrate", env=few)
        assert waiting.stderr is not None
        said = waiting.stderr.readline()
    code, _, stderr = finish(waiting)

    assert given_up.code == 4
    assert "has locked alembic_version" in given_up.stderr
    assert "has locked alembic_version; trying again in" in said
    assert code == 0, stderr
    assert current(migrated) == [FIRST]


def test_a_version_table_locked_when_the_migration_lock_is_won_is_waited_for(migrated: Project) -> None:
    """F43: the one who held the migration lock leaves the version table locked for a while."""
    write_revision(migrated, FIRST, "op.execute('create table extra ()')")

    with ExitStack() as locked:
        with holding_lock(migrated):
            process = launch(migrated, "migrate")
            assert process.stderr is not None
            assert "waiting for another migration" in process.stderr.readline()
            locked.enter_context(in_transaction(migrated, "lock table alembic_version"))
        said = process.stderr.readline()
    code, _, stderr = finish(process)

    assert "has locked alembic_version; trying again in" in said
    assert code == 0, stderr
    assert current(migrated) == [FIRST]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("task", ["status", "migrate", "backup"])
def test_a_signal_ends_a_read_that_waits(migrated: Project, task: str, number: int) -> None:
    """F51: cancelled in the server, exit 130 at once (4 s where other tests run beside it), though the table stays locked."""
    with in_transaction(migrated, "lock table alembic_version"):
        process = launch(migrated, task)
        until(lambda: query(migrated, BUSY) == [(1,)])
        stopped = interrupt(process, number)
        left = query(migrated, BUSY)

    assert stopped.code == 130, stopped
    assert stopped.seconds < 4
    assert "Traceback" not in stopped.stderr
    assert left == [(0,)]


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """A server that accepts and never answers."""
    with closing(socket.create_server(("127.0.0.1", free_port()))) as listener:
        listener.settimeout(30)
        yield listener


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("task", ["status", "migrate"])
def test_a_signal_ends_the_wait_for_a_server_that_never_answers(
    project: Project, silent_server: socket.socket, task: str, number: int
) -> None:
    """F26, F51: exit 130 at once (4 s where other tests run beside it), not when the 10 s for the connection are over."""
    env = {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{silent_server.getsockname()[1]}/none"}
    process = launch(project, task, env=env)
    accepted, _ = silent_server.accept()
    time.sleep(0.5)

    with closing(accepted):
        stopped = interrupt(process, number)

    assert stopped.code == 130, stopped
    assert stopped.seconds < 4
    assert "Traceback" not in stopped.stderr
