"""A standby, a database that only reads, several hosts: seen before the lock; and who holds a lock that nobody lets go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.commands.support import HEAD, KEY, answer, database_of, query, write_revision
from tests.faults.own_server import OwnServer, own_server
from tests.faults.standby import hot_standby, promote, wait_for_replay
from tests.servers import Database, Project, Server


@pytest.fixture(scope="module")
def primary() -> Iterator[OwnServer]:
    """A server that has a standby."""
    with own_server() as running:
        yield running


@pytest.fixture(scope="module")
def standby(primary: OwnServer) -> Iterator[OwnServer]:
    """A standby that follows it."""
    with hot_standby(primary) as running:
        yield running


@pytest.fixture
def replicated(primary: OwnServer, standby: OwnServer) -> Database:
    """An empty database on both."""
    made = primary.as_server.make_database()
    wait_for_replay(primary, standby)
    return made


def advisory_locks(server: OwnServer) -> list[tuple[object, ...]]:
    """Count the advisory locks of all databases."""
    return server.query("select count(*) from pg_locks where locktype = 'advisory'")


def test_a_standby_is_seen_before_the_lock(project: Project, replicated: Database, standby: OwnServer) -> None:
    """F36: one line, exit 4, nothing taken; a standby would grant the lock beside the primary."""
    project.environment["DATABASE_URL"] = standby.url(replicated.name)

    done = project.invoke("migrate")

    assert done.code == 4
    assert done.stderr == (
        f"error: {replicated.name}: this server is a standby, nothing can be migrated here\nhint:  connect to the primary\n"
    )
    assert advisory_locks(standby) == [(0,)]


def test_status_works_on_a_standby(project: Project, replicated: Database, standby: OwnServer) -> None:
    """F36: reading is what a standby is for."""
    project.environment["DATABASE_URL"] = standby.url(replicated.name)

    done = project.invoke("status")

    assert done.code == 0, done.stderr
    assert "empty, 3 revisions pending" in done.stdout


def test_of_several_hosts_the_one_that_writes_is_migrated(
    project: Project, replicated: Database, primary: OwnServer, standby: OwnServer
) -> None:
    """F38: the first host is the standby; after a failover the same URL finds the new primary."""
    both = f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{primary.port}/{replicated.name}"
    project.environment |= {"DATABASE_URL": both, "APP_ENV": "development"}
    project.database = replicated

    done = project.invoke("migrate")

    assert done.code == 0, done.stderr
    assert primary.query("select version_num from alembic_version", database=replicated.name) == [(HEAD,)]


def test_after_a_failover_the_same_url_finds_the_new_primary(
    project: Project, primary: OwnServer, replicated: Database
) -> None:
    """F38: the old primary is gone, the promoted standby is migrated."""
    with hot_standby(primary) as second:
        wait_for_replay(primary, second)
        primary.stop("fast")
        promote(second)
        both = f"postgresql://postgres@127.0.0.1:{primary.port},127.0.0.1:{second.port}/{replicated.name}"

        done = project.invoke("migrate", env={"DATABASE_URL": both})

        assert done.code == 0, done.stderr
        assert second.query("select version_num from alembic_version", database=replicated.name) == [(HEAD,)]
        primary.start()


@pytest.mark.parametrize("way", ["alter database {} set default_transaction_read_only = on", "alter role {} set default_transaction_read_only = on"],
                         ids=["database", "role"])  # fmt: skip
def test_a_database_or_a_role_that_only_reads_is_seen_before_the_lock(
    way: str, project_on_database: Project, server: Server
) -> None:
    """F36: whoever made it read-only meant it."""
    database = database_of(project_on_database)
    role = f"owner_{database.name}"
    query(project_on_database, f"create role {role} login superuser")
    query(project_on_database, way.format(database.name if "database" in way else role))

    done = project_on_database.invoke("migrate", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    assert done.code == 4
    assert done.stderr == (
        f"error: {database.name}: this server is read-only, nothing can be migrated here\nhint:  connect to the primary\n"
    )
    server.execute(f"drop role {role}")


def test_a_lock_that_nobody_lets_go_is_named_when_the_wait_runs_out(migrated: Project) -> None:
    """F35: pid, user, client, since and state of a client that hangs; `status` says the same."""
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")
    with closing(database_of(migrated).connect()) as orphan, orphan.cursor() as cursor:
        cursor.execute("set application_name = 'a hung deploy'")
        cursor.execute(
            "select pg_advisory_lock(%s), to_char(backend_start at time zone 'UTC', 'HH24:MI:SS') from pg_stat_activity where pid = pg_backend_pid()",
            (KEY,),
        )
        (_, since) = cursor.fetchone() or ("", "")
        holder = f"pid {orphan.info.backend_pid}, postgres, a hung deploy, from a local socket, since {since} UTC, idle"

        done = migrated.invoke("migrate", "--wait-s", "0.5", "--json")
        status = migrated.invoke("status")

    error = answer(done.stdout)["error"]
    assert (done.code, error["kind"]) == (7, "lock-busy")
    assert error["message"] == f"{database_of(migrated).name}: another migration is running ({holder})"
    assert f"lock      held by {holder}\n" in status.stdout


def test_a_lock_that_nobody_lets_go_comes_with_how_to_end_it(migrated: Project) -> None:
    """F35: the statement to paste, with the pid of the session that hangs."""
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")
    with closing(database_of(migrated).connect()) as orphan, orphan.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", (KEY,))

        pid = orphan.info.backend_pid

        done = migrated.invoke("migrate", "--wait-s", "0")

    assert done.code == 7
    assert f"`select pg_terminate_backend({pid})`" in done.stderr
