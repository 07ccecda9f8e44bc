"""A server that is not there yet, full, or has place for one connection only."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from stillroom.edges.embedded import EmbeddedServer, find_binaries
from tests.commands.support import HEAD, current, database_of, finish, has_table, launch, query, until, write_revision
from tests.servers import Project, copy_project, discard_server

STEP = "aaaa00000001"
TASKS = [
    ("migrate",),
    ("status", "--exit-code"),
    ("check",),
    ("rollback", "--yes"),
    ("stamp", STEP),
    ("rollback", "--yes"),
    ("migrate",),
    ("reset-dev", "--yes"),
]
MIGRATING = (
    "select pid from pg_stat_activity where application_name = 'stillroom migrate' and state like 'idle in tr%' and {}"
)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of this test alone, which it may stop; it runs."""
    tmp_path.chmod(0o755)
    server = EmbeddedServer(
        tmp_path / "home", binaries=find_binaries(None), environment=dict(os.environ), is_durable=False
    )
    server.start()
    yield server
    discard_server(server)


def test_migrate_waits_for_a_server_that_is_still_starting(own_server: EmbeddedServer, tmp_path: Path) -> None:
    """F27, --wait-s: nothing listens at first; the wait is said once, and the migration goes through."""
    project = copy_project(tmp_path / "project")
    project.environment["DATABASE_URL"] = f"postgresql://postgres@/postgres?host={own_server.socket}"
    own_server.stop(mode="immediate")

    process = launch(project, "migrate", "--wait-s", "30")
    assert process.stderr is not None
    said = process.stderr.readline()
    starting = threading.Thread(target=own_server.start)
    starting.start()
    code, _, stderr = finish(process)
    starting.join()

    assert said.startswith("waiting up to 30 s for the server (postgres on ")
    assert code == 0, stderr
    assert "waiting" not in stderr


def test_the_wait_for_a_server_that_does_not_come_is_bounded(migrated: Project) -> None:
    """F26: tried with pauses up to the limit that is said, then one line and exit 4."""
    started = time.monotonic()

    done = migrated.invoke(
        "migrate", env={"DATABASE_URL": "postgresql://app:geheim@127.0.0.1:1/shop", "STILLROOM_WAIT_S": "1.5"}
    )

    assert 1.5 < time.monotonic() - started < 10
    assert done.code == 4
    waiting, error, hint = done.stderr.splitlines()
    assert waiting == "waiting up to 2 s for the server (shop on 127.0.0.1:1 as app: Connection refused)"
    assert error == "error: shop on 127.0.0.1:1 as app: Connection refused"
    assert hint.startswith("hint:  is the server running there?")


def test_tasks_work_for_a_role_with_one_connection(project_of_plain_role: Project) -> None:
    """F29: one at a time is enough, the last look and the look at the end included."""
    project = project_of_plain_role
    database_of(project).server.execute(f'alter role "{role_of(project)}" connection limit 1')
    same = "op.execute('comment on table users is null')"
    write_revision(project, STEP, same, downgrade=same)

    for task in TASKS:
        done = project.invoke(*task)
        assert done.code == 0, (task, done.stderr)
    project.invoke("rollback", "--yes")
    query(project, "delete from alembic_version")
    proven = project.invoke("stamp", HEAD)

    assert proven.code == 0, proven.stderr
    assert "the schema equals that revision built from base" in proven.stdout


def test_a_full_database_is_waited_for(project_of_plain_role: Project) -> None:
    """F29: too many connections: waited for and said; 0 when one gets free, 4 when the wait runs out."""
    project = project_of_plain_role
    name = database_of(project).name
    database_of(project).server.execute(f'alter database "{name}" connection limit 1')
    crowd = psycopg2.connect(project.environment["DATABASE_URL"])

    refused = project.invoke("migrate", "--wait-s", "0")
    process = launch(project, "migrate")
    assert process.stderr is not None
    said = process.stderr.readline()
    crowd.close()
    code, _, stderr = finish(process)

    assert refused.code == 4
    assert "too many connections for database" in refused.stderr
    assert "`--wait-s` waits for one" in refused.stderr
    assert said.startswith("waiting up to 300 s for the server (")
    assert code == 0, stderr


@pytest.fixture
def stopped(migrated: Project) -> Iterator[tuple[Project, subprocess.Popen[str], int]]:
    """A run whose process that does the work is stopped in the middle of a step: the project, the run, its child's pid."""
    write_revision(
        migrated,
        STEP,
        "op.execute('create table half ()')\nimport time\ntime.sleep(1)\nop.execute('create table whole ()')",
    )
    process = launch(migrated, "migrate")
    until(lambda: query(migrated, MIGRATING.format("query like '%half%'")))
    child = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    os.kill(child, signal.SIGSTOP)
    yield migrated, process, child
    process.kill()


def test_a_stopped_process_goes_on_when_it_is_woken(stopped: tuple[Project, subprocess.Popen[str], int]) -> None:
    """F54: SIGSTOP, SIGCONT."""
    project, process, child = stopped

    time.sleep(2)
    os.kill(child, signal.SIGCONT)
    code, _, stderr = finish(process)

    assert code == 0, stderr
    assert current(project) == [STEP]
    assert has_table(project, "whole")


def test_a_stopped_process_whose_session_was_ended_leaves_no_half_step(
    stopped: tuple[Project, subprocess.Popen[str], int],
) -> None:
    """F54, F41: the server ends the session meanwhile, as its timeouts do; work and lock die together, exit 4."""
    project, process, child = stopped

    query(project, f"select pg_terminate_backend(pid) from ({MIGRATING.format('true')}) as migrating")
    os.kill(child, signal.SIGCONT)
    code, stdout, stderr = finish(process)

    assert (code, stdout) == (4, "")
    assert f"looked again: {STEP} is not applied; 0 of 1 applied, 0 not tried" in stderr
    assert "hint:  run the same command again to go on" in stderr
    assert current(project) == [HEAD]
    assert not has_table(project, "half")


@pytest.fixture
def project_of_plain_role(project_on_database: Project) -> Iterator[Project]:
    """A project whose URL names an ordinary role that owns the empty database."""
    database = database_of(project_on_database)
    role = f"plain_{database.name}"
    database.server.execute(f'create role "{role}" login createdb')
    database.server.execute(f'alter database "{database.name}" owner to "{role}"')
    project_on_database.environment |= {
        "DATABASE_URL": database.url.replace("postgres@", f"{role}@"),
        "APP_ENV": "development",
    }
    yield project_on_database
    database.drop()
    database.server.execute(f'drop role "{role}"')


def role_of(project: Project) -> str:
    """The role of the project's URL."""
    return f"plain_{database_of(project).name}"
