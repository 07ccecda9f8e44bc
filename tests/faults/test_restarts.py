"""A server that is shutting down, starting, or started again in the middle of a run."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.commands.support import current, finish, holding_lock, launch, query, running, write_revision
from tests.faults.outside import until
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project

FIRST, SECOND, THIRD = "aaaa00000001", "aaaa00000002", "aaaa00000003"


@pytest.fixture(scope="module")
def fragile() -> Iterator[OwnServer]:
    """A server of one's own, to stop as one likes."""
    with own_server() as running:
        yield running


@pytest.fixture
def fragile_project(project: Project, fragile: OwnServer) -> Project:
    """A project with one short revision on an empty database of that server."""
    for each in (project.path / "migrations" / "alembic" / "versions").glob("*.py"):
        each.unlink()
    project.database = fragile.as_server.make_database()
    project.environment |= {"DATABASE_URL": fragile.url(project.database.name), "APP_ENV": "development"}
    write_revision(project, FIRST, "op.execute('create table first ()')", down=None)
    return project


def test_a_server_that_shuts_down_is_waited_for_until_it_is_back(fragile_project: Project, fragile: OwnServer) -> None:
    """F27, 57P03: it turns everybody away while a client is still there; exit 4 without a wait, 0 with one."""
    with closing(fragile.connect()):
        assert fragile.process is not None
        fragile.process.send_signal(signal.SIGTERM)
        until(lambda: turned_away(fragile), "the server shuts down")

        refused = fragile_project.invoke("migrate", "--wait-s", "0")
        process = launch(fragile_project, "migrate")
        assert process.stderr is not None
        said = process.stderr.readline()
    fragile.process.wait(timeout=30)
    fragile.start()
    code, _, stderr = finish(process)

    assert refused.code == 4
    assert refused.stderr.splitlines()[0].endswith("the database system is shutting down")
    assert "`--wait-s` waits for it" in refused.stderr
    assert "waiting up to 300 s for the server" in said
    assert "the database system is shutting down" in said
    assert code == 0, stderr
    assert current(fragile_project) == [FIRST]


def turned_away(server: OwnServer) -> bool:
    """Whether a new client is told that the server shuts down."""
    try:
        server.connect().close()
    except psycopg2.OperationalError as error:
        return "shutting down" in str(error)
    return False


def test_a_server_started_again_in_a_run_is_looked_at_again(fragile_project: Project, fragile: OwnServer) -> None:
    """F27: restarted in the second of three steps: what is applied is said, exit 4, and the next run finishes."""
    write_revision(
        fragile_project,
        SECOND,
        "op.execute('create table second ()')\nop.execute('select pg_sleep(30)')",
        down=FIRST,
    )
    write_revision(fragile_project, THIRD, "op.execute('create table third ()')", down=SECOND)
    process = launch(fragile_project, "migrate")
    until(lambda: running(fragile_project, "pg_sleep"), "the second step runs")

    fragile.stop("fast")
    fragile.start()
    code, stdout, stderr = finish(process)

    assert (code, stdout) == (4, ""), stderr
    assert f"looked again: {SECOND} is not applied; 1 of 3 applied, 1 not tried" in stderr
    assert f"is at {FIRST}\n" in stderr
    write_revision(fragile_project, SECOND, "op.execute('create table second ()')", down=FIRST)
    again = fragile_project.invoke("migrate")
    assert again.code == 0, again.stderr
    assert current(fragile_project) == [THIRD]
    assert query(fragile_project, "select count(*) from pg_class where relname in ('first', 'second', 'third')") == [
        (3,)
    ]


def test_who_waits_for_the_lock_connects_again_to_a_server_started_again(
    fragile_project: Project, fragile: OwnServer
) -> None:
    """F27, F42: who waits holds nothing yet, so nothing is lost with the connection; the wait goes on."""
    with holding_lock(fragile_project):
        processes = [launch(fragile_project, "migrate") for _ in range(3)]
        for each in processes:
            assert each.stderr is not None
            assert "waiting for another migration" in each.stderr.readline()
        fragile.stop("fast")
        time.sleep(1)
        fragile.start()
    ended = [finish(process) for process in processes]

    assert [code for code, _, _ in ended] == [0, 0, 0], ended
    assert all("the connection was lost while waiting" in stderr for _, _, stderr in ended)
    assert sum("1 revision applied" in stdout for _, stdout, _ in ended) == 1
    assert current(fragile_project) == [FIRST]


def test_who_does_not_want_to_wait_is_not_made_to_by_a_lost_connection(
    fragile_project: Project, fragile: OwnServer
) -> None:
    """F27, F42: the wait is bounded as a whole."""
    with holding_lock(fragile_project):
        process = launch(fragile_project, "migrate", "--wait-s", "12")
        assert process.stderr is not None
        assert "waiting for another migration" in process.stderr.readline()
        started = time.monotonic()
        time.sleep(8)
        fragile.stop("fast")
        code, _, stderr = finish(process)
        seconds = time.monotonic() - started
        fragile.start()

    assert code == 4, stderr
    assert seconds < 19, "a wait that began anew would end after 20 s"
