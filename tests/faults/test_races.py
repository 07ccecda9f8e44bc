"""Many at once: one applies, the others wait, look again, and have nothing to do."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    KEY,
    TIMEZONE,
    current,
    database_of,
    finish,
    holding_lock,
    launch,
    query,
    until,
    write_revision,
)
from tests.counting import Counted
from tests.faults.rows import BEHIND, ROWS, balances, be_one_behind, invalid_indexes, make_accounts
from tests.servers import Database, Project, Server, copy_project

# How often each number is tried in the short form: many at once are what takes the time.
AT_ONCE = {2: 2, 8: 1, 32: 1}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Thirty-two on an empty database belong to the long form; on one that is behind they are always tried."""
    if "count" in metafunc.fixturenames:
        is_long = metafunc.config.getoption("--fault-rounds") == "long"
        leaves_out = metafunc.function is test_of_many_at_once_on_an_empty_database_exactly_one_applies and not is_long
        metafunc.parametrize("count", [each for each in AT_ONCE if each < 32 or not leaves_out])


def test_of_many_at_once_on_an_empty_database_exactly_one_applies(
    project: Project, server: Server, rounds: int, count: int, counted: Counted
) -> None:
    """F39: every exit is 0, each revision ran once, every index is valid."""
    tried = rounds if rounds > 10 else AT_ONCE[count]
    for _ in range(tried):
        with closing(_Fresh(project, server)):
            ended = [finish(process, 120) for process in [launch(project, "migrate") for _ in range(count)]]

            assert [code for code, _, _ in ended] == [0] * count, [stderr for _, _, stderr in ended]
            steps = [line.split()[1] for _, _, err in ended for line in err.splitlines() if line.startswith("  +")]
            assert steps == [INITIAL, TIMEZONE, HEAD]
            assert sum("nothing to do" in stdout for _, stdout, _ in ended) == count - 1
            assert current(project) == [HEAD]
            assert invalid_indexes(project) == 0
    _count(counted, f"{count} at once on an empty database", tried)


def test_of_many_at_once_on_a_database_one_behind_the_step_runs_once(
    project: Project, server: Server, template: Database, rounds: int, count: int, counted: Counted
) -> None:
    """F39: also where the step commits in batches of its own; plain Alembic doubles the rows in 11 of 12 runs."""
    tried = rounds if rounds > 10 else AT_ONCE[count]
    be_one_behind(project)
    for _ in range(tried):
        with closing(_Fresh(project, server, template.name)):
            make_accounts(project)

            ended = [finish(process, 120) for process in [launch(project, "migrate") for _ in range(count)]]

            assert [code for code, _, _ in ended] == [0] * count, [stderr for _, _, stderr in ended]
            assert balances(project) == [(10, ROWS)]
            assert sum("nothing to do" in stdout for _, stdout, _ in ended) == count - 1
            assert current(project) == [BEHIND]
            assert invalid_indexes(project) == 0
    _count(counted, f"{count} at once on a database one behind", tried)


def test_waiters_do_not_deadlock_with_a_concurrent_build(
    project: Project, server: Server, template: Database, rounds: int, counted: Counted
) -> None:
    """F46: the holder waits for old snapshots, the waiters hold none; blocking lock calls deadlock after a second."""
    tried = rounds if rounds > 10 else 1
    be_one_behind(project)
    for _ in range(tried):
        with closing(_Fresh(project, server, template.name)):
            make_accounts(project)
            with closing(database_of(project).connect()) as other, other.cursor() as cursor:
                cursor.execute("begin isolation level repeatable read; select 1 from account limit 1")
                holder = launch(project, "migrate")
                until(lambda: query(project, "select 1 from pg_index where not indisvalid"))
                waiters = [launch(project, "migrate") for _ in range(8)]
                time.sleep(1.5)
                cursor.execute("commit")

            ended = [finish(process) for process in (holder, *waiters)]

            assert [code for code, _, _ in ended] == [0] * 9, [stderr for _, _, stderr in ended]
            assert "waiting for pid" in ended[0][2], "the holder names whom its build waits for"
            assert balances(project) == [(10, ROWS)]
            assert invalid_indexes(project) == 0
    _count(counted, "8 waiters beside a concurrent build", tried)


EXCLUSIVE = [
    ("invoke", "migrate", "--wait-s", "0.3"),
    ("invoke", "backup-then-migrate", "--wait-s", "0.3"),
    ("invoke", "rollback", "--yes", "--wait-s", "0.3"),
    ("invoke", "reset-dev", "--yes", "--wait-s", "0.3"),
    ("invoke", "stamp", "base", "--allow", "unproven", "--wait-s", "0.3"),
    ("alembic", "upgrade", "head"),
]


def test_whatever_moves_the_schema_excludes_the_rest_and_a_backup_only_those(migrated: Project) -> None:
    """F42, F47, F48, F49: one lock for all; the holder is named with the way to end it; exit 7 and nothing done."""
    made = migrated.invoke("backup", "--json")
    assert made.code == 0, made.stdout
    write_revision(migrated, BEHIND, "op.execute('create table extra ()')", downgrade="op.execute('drop table extra')")
    short = {"STILLROOM_WAIT_S": "0.3"}

    with holding_lock(migrated, application="a deploy"):
        others = [launch(migrated, *args, program=program, env=short) for program, *args in EXCLUSIVE]
        others += [
            launch(migrated, "restore", _newest(migrated), "--yes", env=short),
            launch(migrated, "backup", env=short),
        ]
        ended = [finish(process) for process in others]
    with closing(database_of(migrated).connect()) as other, other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(%s)", (KEY,))
        beside = [
            finish(process)
            for process in [launch(migrated, "backup", env=short), launch(migrated, "migrate", env=short)]
        ]

    assert [code for code, _, _ in ended] == [7, 7, 7, 7, 7, 255, 7, 7], [stderr for _, _, stderr in ended]
    for _, stdout, stderr in ended:
        assert "another migration is running (pid " in stdout + stderr
        assert ", postgres, a deploy, from a local socket, since " in stdout + stderr
        assert "ended by `select pg_terminate_backend(" in stdout + stderr
    assert [code for code, _, _ in beside] == [0, 7]
    assert current(migrated) == [HEAD]


def test_who_queues_behind_a_restore_goes_on_in_the_database_that_took_the_place(migrated: Project) -> None:
    """F47: the swap ends every session of the old database, those that wait for the lock as well."""
    assert migrated.invoke("backup").code == 0
    write_revision(migrated, BEHIND, "op.execute('create table extra ()')")

    restore = launch(migrated, "restore", _newest(migrated), "--yes")
    until(lambda: query(migrated, "select 1 from pg_locks where locktype = 'advisory' and granted"))
    holder = int(Path(f"/proc/{restore.pid}/task/{restore.pid}/children").read_text().split()[0])
    os.kill(holder, signal.SIGSTOP)
    pods = [launch(migrated, "migrate") for _ in range(3)]
    queued = [each.stderr.readline() for each in pods if each.stderr is not None]
    os.kill(holder, signal.SIGCONT)
    ended = [finish(process) for process in (restore, *pods)]

    assert all("waiting for another migration" in line for line in queued), queued
    assert [code for code, _, _ in ended] == [0] * 4, ended
    assert sum("1 revision applied" in stdout for _, stdout, _ in ended[1:]) == 1
    assert current(migrated) == [BEHIND]


def test_another_database_and_another_version_table_are_not_waited_for(
    migrated: Project, server: Server, tmp_path: Path
) -> None:
    """F50: the key names the database, the schema and the version table."""
    elsewhere = server.make_database()
    neighbour = copy_project(tmp_path / "neighbour")
    neighbour.database, neighbour.environment = migrated.database, migrated.environment
    shutil.rmtree(neighbour.path / "migrations/alembic/versions")
    (neighbour.path / "migrations/alembic/versions").mkdir()
    write_revision(neighbour, BEHIND, "op.create_table('neighbour', sa.Column('id', sa.Integer))", down=None)
    env_py = neighbour.path / "migrations/alembic/env.py"
    env_py.write_text(
        env_py.read_text().replace("run(SQLModel.metadata", "run(SQLModel.metadata, version_table='neighbours'")
    )

    with holding_lock(migrated):
        other_database = migrated.invoke("migrate", "--wait-s", "0", env={"DATABASE_URL": elsewhere.url})
        other_table = neighbour.invoke("migrate", "--wait-s", "0")

    assert other_database.code == 0, other_database.stderr
    assert other_table.code == 0, other_table.stderr
    assert query(migrated, "select version_num from neighbours") == [(BEHIND,)]
    assert current(migrated) == [HEAD]
    elsewhere.drop()


def test_a_session_that_is_ended_takes_its_work_along_and_the_next_never_overlaps(
    project: Project, server: Server, template: Database, rounds: int, counted: Counted
) -> None:
    """F41, K12: with the lock on a connection of its own, the rows were doubled 6 times of 6."""
    tried = rounds if rounds > 10 else 2
    write_revision(
        project,
        BEHIND,
        "op.execute('update account set balance = balance + 10')\nop.execute('select pg_sleep(1.5)')",
    )
    for _ in range(tried):
        with closing(_Fresh(project, server, template.name)):
            make_accounts(project)
            first = launch(project, "migrate")
            until(
                lambda: query(
                    project,
                    "select 1 from pg_stat_activity where query like '%pg_sleep(1.5)%' and state = 'active' and pid <> pg_backend_pid()",
                )
            )
            second = launch(project, "migrate")

            query(
                project, "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(1.5)'"
            )
            ended = [finish(process) for process in (first, second)]

            assert [code for code, _, _ in ended] == [4, 0], [stderr for _, _, stderr in ended]
            assert f"looked again: {BEHIND} is not applied; 0 of 1 applied, 0 not tried" in ended[0][2]
            assert balances(project) == [(10, ROWS)]
    _count(counted, "a session ended in the middle", tried)


def test_short_timeouts_of_the_database_do_not_end_the_run(migrated: Project) -> None:
    """F41: idle_session_timeout and idle_in_transaction_session_timeout of one second, set on the database."""
    name = database_of(migrated).name
    for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
        query(migrated, f"alter database {name} set {setting} = '1s'")
    write_revision(migrated, BEHIND, "import time\nop.execute('create table extra ()')\ntime.sleep(1.6)")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr


class _Fresh:
    """A database of its own for one round of a project."""

    def __init__(self, project: Project, server: Server, template: str = "template1") -> None:
        self.database = server.make_database(template=template)
        project.database = self.database
        project.environment["DATABASE_URL"] = self.database.url

    def close(self) -> None:
        """Drop it."""
        self.database.drop()


def _count(counted: Counted, what: str, tried: int) -> None:
    counted(f"{what}: {tried} rounds, 0 failures")


def _newest(project: Project) -> str:
    return max(each.name for each in (project.path / "backups").iterdir())
