"""A primary that is gone between two steps, and a promoted standby that answers in its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.support import finish, launch, running, write_revision
from tests.faults.outside import until
from tests.faults.own_server import OwnServer, own_server
from tests.faults.standby import hot_standby, promote, wait_for_replay
from tests.servers import Project

FIRST, SECOND, THIRD = "aaaa00000001", "aaaa00000002", "aaaa00000003"


@pytest.fixture
def servers() -> Iterator[tuple[OwnServer, OwnServer]]:
    """A primary, and a standby that follows it."""
    with own_server() as primary, hot_standby(primary) as standby:
        yield primary, standby


def three_steps(project: Project, seconds: int) -> None:
    """The second one takes some seconds."""
    for each in (project.path / "migrations" / "alembic" / "versions").glob("*.py"):
        each.unlink()
    write_revision(project, FIRST, "op.execute('create table first ()')", down=None)
    write_revision(
        project, SECOND, f"op.execute('create table second ()')\nop.execute('select pg_sleep({seconds})')", down=FIRST
    )
    write_revision(project, THIRD, "op.execute('create table third ()')", down=SECOND)


def test_after_a_failover_in_a_step_nothing_is_claimed_and_the_next_run_finishes_there(
    project: Project, servers: tuple[OwnServer, OwnServer]
) -> None:
    """F37: the URL names both; another server answers, exit 4, and where that one stands is said."""
    primary, standby = servers
    project.database = primary.as_server.make_database()
    name = project.database.name
    both = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/{name}"
    project.environment |= {"DATABASE_URL": both, "APP_ENV": "development"}
    three_steps(project, seconds=30)
    process = launch(project, "migrate")
    until(lambda: running(project, "pg_sleep"), "the second step runs")
    wait_for_replay(primary, standby)

    promote(standby)  # before the primary dies: how long that takes is not ours to bound
    primary.stop("immediate")
    code, stdout, stderr = finish(process)

    assert (code, stdout) == (4, ""), stderr
    assert "another server answers now than the one that was migrated (a failover)" in stderr
    assert f"this one is at {FIRST}\n" in stderr
    assert f"+ {SECOND}" not in stderr
    assert "Traceback" not in stderr
    three_steps(project, seconds=0)
    again = project.invoke("migrate")
    assert again.code == 0, again.stderr
    assert standby.query("select version_num from alembic_version", database=name) == [(THIRD,)]
    tables = "select relname::text from pg_class where relname in ('first', 'second', 'third') order by 1"
    assert standby.query(tables, database=name) == [("first",), ("second",), ("third",)]
