"""A connection or a server that ends in the middle of a statement: exit 4, nothing half-done, and the next run finishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest

from tests.commands.backing import make_backup, names
from tests.commands.support import HEAD, current, database_of, finish, has_table, launch, query, running, write_revision
from tests.faults.outside import until
from tests.faults.own_server import OwnServer, own_server
from tests.faults.proxy import proxy
from tests.servers import Project, Server

FIRST = "aaaa00000001"
SLEEPS = "op.create_table('halfway', sa.Column('id', sa.Integer))\nop.execute('select pg_sleep(30)')"
WAKES = SLEEPS.replace("30", "0")


@pytest.fixture(scope="module")
def fragile() -> Iterator[OwnServer]:
    """A server of one's own, to stop as one likes."""
    with own_server() as running:
        yield running


def test_a_proxy_that_only_forwards_changes_nothing(project_on_database: Project, server: Server) -> None:
    """What the other tests see through the proxy is its cuts, and not the proxy."""
    with proxy(server) as between:
        done = project_on_database.invoke(
            "migrate", env={"DATABASE_URL": between.url(database_of(project_on_database))}
        )

        assert done.code == 0, done.stderr
        assert current(project_on_database) == [HEAD]
        assert between.connections >= 2


def test_a_connection_that_is_cut_in_a_statement_leaves_nothing_half_done(migrated: Project, server: Server) -> None:
    """F31: the statement dies with its session, and the next run finishes."""
    write_revision(migrated, FIRST, SLEEPS)
    with proxy(server) as between:
        process = launch(migrated, "migrate", env={"DATABASE_URL": between.url(database_of(migrated))})
        until(lambda: running(migrated, "pg_sleep"), "the statement runs")

        between.cut_all()
        code, _, stderr = finish(process)

    assert code == 4, stderr
    assert "Traceback" not in stderr
    assert (current(migrated), has_table(migrated, "halfway")) == ([HEAD], False)
    write_revision(migrated, FIRST, WAKES)
    again = migrated.invoke("migrate")
    assert again.code == 0, again.stderr
    assert current(migrated) == [FIRST]


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_server_that_stops_in_a_statement_leaves_nothing_half_done(
    project: Project, fragile: OwnServer, mode: Literal["immediate", "fast"]
) -> None:
    """F31, K1: stopped or crashed, and started again: the state of before, and the next run finishes."""
    for each in (project.path / "migrations" / "alembic" / "versions").glob("*.py"):
        each.unlink()
    write_revision(project, FIRST, SLEEPS, down=None)
    project.database = fragile.as_server.make_database()
    project.environment["DATABASE_URL"] = fragile.url(project.database.name)
    process = launch(project, "migrate")
    until(lambda: running(project, "pg_sleep"), "the statement runs")

    fragile.stop(mode)
    code, _, stderr = finish(process)
    fragile.start()

    assert code == 4, stderr
    assert "Traceback" not in stderr
    assert query(project, "select to_regclass('halfway') is null") == [(True,)]
    write_revision(project, FIRST, WAKES, down=None)
    again = project.invoke("migrate")
    assert again.code == 0, again.stderr
    assert current(project) == [FIRST]


def test_a_connection_that_is_cut_in_a_dump_leaves_no_backup(migrated: Project, server: Server) -> None:
    """F88: of pg_dump and of the session that holds its snapshot; the older backup stays, and the next one is whole."""
    older = make_backup(migrated)
    query(migrated, "create table many as select n, repeat(md5(n::text), 8) from generate_series(1, 200000) n")
    with proxy(server) as between:
        process = launch(migrated, "backup", env={"DATABASE_URL": between.url(database_of(migrated))})
        until(lambda: running(migrated, "COPY public.many"), "pg_dump reads the table")

        between.cut_all()
        code, _, stderr = finish(process)

    assert code in {4, 5}, stderr
    assert "Traceback" not in stderr
    assert names(migrated) == [older]
    newer = make_backup(migrated)
    assert names(migrated) == sorted([older, newer])


def test_an_answer_that_never_comes_is_given_up(migrated: Project, server: Server) -> None:
    """F30, F66: something between us swallows it and keeps the connection alive; the statement's own limit is long over."""
    write_revision(migrated, FIRST, "op.execute('select pg_sleep(1)')")
    with proxy(server) as between:
        process = launch(
            migrated,
            "migrate",
            env={"DATABASE_URL": between.url(database_of(migrated)), "STILLROOM_STATEMENT_TIMEOUT_MS": "2000"},
        )
        until(lambda: running(migrated, "pg_sleep"), "the statement runs")
        between.hang()
        try:
            code, _, stderr = finish(process, timeout=30)
        finally:
            process.kill()

    assert code == 4, stderr
    assert "state unknown" in stderr
