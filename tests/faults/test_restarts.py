"""A server that is shutting down, starting, or started again in the middle of a run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.commands.support import current, finish, launch, query, running, write_revision
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
