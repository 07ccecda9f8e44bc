"""A connection that is lost at COMMIT may have committed: the database is asked, and the exception is not believed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.support import HEAD, answer, current, database_of, has_table, query, write_revision
from tests.faults.outside import until
from tests.faults.proxy import Cut, Proxy, Side, Then, proxy, wait_for_cut
from tests.servers import Finished, Project, Server

FIRST, SECOND, THIRD = "aaaa00000001", "aaaa00000002", "aaaa00000003"
LOST = "applied, the confirmation was lost"
LOCKS = """select count(*) from pg_locks where locktype = 'advisory'
           and database = (select oid from pg_database where datname = current_database())"""


@pytest.fixture
def between(server: Server) -> Iterator[Proxy]:
    """A proxy in front of the server."""
    with proxy(server) as running:
        yield running


def three_steps(project: Project) -> None:
    """Add three revisions; each makes a table of its own."""
    for revision, down, table in ((FIRST, HEAD, "first"), (SECOND, FIRST, "second"), (THIRD, SECOND, "third")):
        write_revision(project, revision, f"op.create_table('{table}', sa.Column('id', sa.Integer))", down=down)


def run_through(project: Project, between: Proxy, cut: Cut, *words: str) -> Finished:
    """Run a task with the connection cut on the way; a server that hangs is given up after two seconds."""
    url = f"{between.url(database_of(project))}?connect_timeout=2"
    done = project.invoke(*words, env={"DATABASE_URL": url})
    wait_for_cut(cut)
    until(lambda: query(project, LOCKS) == [(0,)], "the lock is free")
    assert "Traceback" not in done.stderr
    return done


def test_a_connection_cut_before_commit_is_not_applied(migrated: Project, between: Proxy) -> None:
    """F31: it looks, says "not applied", exit 4; the rest runs at the next try."""
    three_steps(migrated)
    cut = between.cut_at_commit(side="before", containing="CREATE TABLE second")

    done = run_through(migrated, between, cut, "migrate")

    assert done.code == 4, done
    assert "not applied" in done.stderr
    assert current(migrated) == [FIRST]
    assert not has_table(migrated, "second")
    again = migrated.invoke("migrate")
    assert again.code == 0, again.stderr
    assert current(migrated) == [THIRD]


def test_a_connection_cut_after_the_last_commit_is_applied(migrated: Project, between: Proxy) -> None:
    """F32: it looks, says "applied, the confirmation was lost", exit 0."""
    three_steps(migrated)
    cut = between.cut_at_commit(side="after", containing="CREATE TABLE third")

    done = run_through(migrated, between, cut, "migrate")

    assert done.code == 0, done
    assert LOST in done.stderr + done.stdout
    assert current(migrated) == [THIRD]
    assert has_table(migrated, "third")


def test_a_connection_cut_after_a_commit_in_the_middle_is_said_as_it_is(migrated: Project, between: Proxy) -> None:
    """F32: the step is applied, whatever becomes of the rest; the next run does each of the others once."""
    three_steps(migrated)
    cut = between.cut_at_commit(side="after", containing="CREATE TABLE second")

    done = run_through(migrated, between, cut, "migrate")

    assert LOST in done.stderr + done.stdout
    assert "rolled back" not in done.stderr
    assert current(migrated) == ([THIRD] if done.code == 0 else [SECOND])
    again = migrated.invoke("migrate")
    assert again.code == 0, again.stderr
    assert [current(migrated), has_table(migrated, "third")] == [[THIRD], True]


def test_a_commit_that_arrives_late_is_never_called_not_applied(migrated: Project, between: Proxy) -> None:
    """F31, F32: the client is cut while its COMMIT is still on the way; looking too early would see the old revision.

    The session that may still commit holds the migration lock: whoever has the lock again may believe what it reads.
    """
    three_steps(migrated)
    cut = between.cut_at_commit(side="late", containing="CREATE TABLE third")

    done = run_through(migrated, between, cut, "migrate")

    assert current(migrated) == [THIRD]
    assert "not applied" not in done.stderr
    assert "rolled back" not in done.stderr
    assert (LOST in done.stderr + done.stdout) if done.code == 0 else ("state unknown" in done.stderr), done


@pytest.mark.parametrize(("side", "then"), [("before", "refuse"), ("after", "hang")])
def test_without_a_way_back_the_state_is_unknown(migrated: Project, between: Proxy, side: Side, then: Then) -> None:
    """F33: nobody answers any more, so nothing is claimed: "state unknown", `invoke status`, exit 4."""
    three_steps(migrated)
    cut = between.cut_at_commit(side=side, containing="CREATE TABLE second", then=then)

    done = run_through(migrated, between, cut, "migrate", "--json", "--wait-s", "1")

    error = answer(done.stdout)["error"]
    assert (done.code, error["kind"]) == (4, "database"), done
    assert "state unknown" in error["message"]
    assert "rolled back" not in error["message"]
    assert "not applied" not in error["message"]
    assert "`invoke status`" in error["hint"]


@pytest.mark.parametrize(("side", "code", "is_there"), [("before", 4, True), ("after", 0, False)])
def test_a_rollback_tells_the_truth_about_its_commit(
    migrated: Project, between: Proxy, side: Side, code: int, is_there: bool
) -> None:
    """F31, F32: a step that is undone is as uncertain as one that is applied."""
    write_revision(
        migrated, FIRST, "op.create_table('first', sa.Column('id', sa.Integer))", downgrade="op.drop_table('first')"
    )
    assert migrated.invoke("migrate").code == 0
    cut = between.cut_at_commit(side=side, containing="DROP TABLE first")

    done = run_through(migrated, between, cut, "rollback", "--yes")

    assert done.code == code, done
    assert ("confirmation was lost" in done.stderr + done.stdout) is (code == 0)
    assert has_table(migrated, "first") is is_there
