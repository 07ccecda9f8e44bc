"""`migrate` interrupted: the statement is gone from the server, and it is said how far it came."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.support import (
    HEAD,
    current,
    finish,
    holding_lock,
    interrupt,
    launch,
    query,
    running,
    until,
    write_revision,
)
from tests.counting import Counted
from tests.servers import Project

FIRST, SECOND = "aaaa00000001", "aaaa00000002"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def sleeping(migrated: Project) -> tuple[Project, subprocess.Popen[str]]:
    """A run whose second step sleeps in the server."""
    write_revision(migrated, FIRST, "op.create_table('first', sa.Column('id', sa.Integer))")
    write_revision(migrated, SECOND, "op.execute('lock table tasks'); op.execute('select pg_sleep(12)')", down=FIRST)
    process = launch(migrated, "migrate")
    until(lambda: running(migrated, "pg_sleep"))
    return migrated, process


def is_locked(project: Project) -> bool:
    """Whether a session still holds the table, or the migration lock."""
    found = query(
        project,
        "select 1 from pg_locks where mode = 'AccessExclusiveLock' and relation = 'tasks'::regclass or locktype = 'advisory'",
    )
    return bool(found)


@pytest.mark.parametrize("number", SIGNALS, ids=[each.name for each in SIGNALS])
def test_a_signal_stops_the_statement_and_says_how_far_it_came(
    sleeping: tuple[Project, subprocess.Popen[str]], number: int, counted: Counted
) -> None:
    """F51: the seconds are printed; other tests run beside this one."""
    project, process = sleeping

    stopped = interrupt(process, number)

    assert stopped.code == 130
    assert stopped.seconds < 2
    assert running(project, "pg_sleep") == 0
    assert not is_locked(project)
    assert f"error: interrupted in {SECOND}: it was rolled back; 1 of 2 applied\n" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert stopped.stdout == ""
    assert current(project) == [FIRST]
    counted(f"{signal.Signals(number).name} in a statement: client and server free after {stopped.seconds:.2f} s")


def test_the_same_command_goes_on_after_an_interruption(sleeping: tuple[Project, subprocess.Popen[str]]) -> None:
    project, process = sleeping
    interrupt(process)
    write_revision(project, SECOND, "op.execute('select pg_sleep(0)')", down=FIRST)

    done = project.invoke("migrate")

    assert done.code == 0, done.stderr
    assert current(project) == [SECOND]


def test_a_killed_task_takes_its_statement_along(sleeping: tuple[Project, subprocess.Popen[str]]) -> None:
    """F53: the statement and its locks are gone from the server within three seconds."""
    project, process = sleeping

    interrupt(process, signal.SIGKILL)

    until(lambda: not running(project, "pg_sleep") and not is_locked(project), within_s=3)
    assert current(project) == [FIRST]


def test_when_both_processes_are_killed_the_server_notices_by_itself(
    sleeping: tuple[Project, subprocess.Popen[str]],
) -> None:
    """F53: nobody is left who could cancel the statement of 12 s; the server asks every second whether its client is there."""
    project, process = sleeping
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    for pid in (process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    finish(process)

    assert children
    until(lambda: not running(project, "pg_sleep") and not is_locked(project), within_s=5)
    assert current(project) == [FIRST]


def test_a_second_signal_leaves_at_once_and_says_that_the_state_is_unknown(migrated: Project) -> None:
    """F52."""
    write_revision(
        migrated,
        FIRST,
        """
        import time
        op.execute('create table marker ()')
        while True:
            try:
                time.sleep(60)
            except BaseException:
                try:
                    op.execute('select 1')  # which the cancel may reach
                except BaseException:
                    pass
        """,
    )
    process = launch(migrated, "migrate")
    until(
        lambda: query(
            migrated,
            "select 1 from pg_locks l join pg_stat_activity a using (pid) where a.query like '%%marker%%' and l.locktype = 'transactionid'",
        )
    )

    process.send_signal(signal.SIGINT)
    until(
        lambda: query(
            migrated,
            "select 1 from pg_stat_activity where query = 'select 1' and application_name = 'stillroom migrate'",
        )
    )
    stopped = interrupt(process)

    assert (stopped.code, stopped.seconds < 2) == (130, True)
    assert "the state of the database is unknown" in stopped.stderr


def test_an_interrupted_wait_for_the_lock_touches_nothing(migrated: Project) -> None:
    """F51."""
    write_revision(migrated, FIRST, "op.create_table('first', sa.Column('id', sa.Integer))")

    with holding_lock(migrated):
        process = launch(migrated, "migrate")
        until(
            lambda: query(
                migrated,
                "select 1 from pg_stat_activity where application_name = 'stillroom migrate' and query like '%%pg_try_advisory_lock%%'",
            )
        )
        stopped = interrupt(process)

    assert stopped.code == 130
    assert "interrupted; no revision was under way" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert current(migrated) == [HEAD]


def test_nohup_keeps_it_running(migrated: Project) -> None:
    write_revision(migrated, FIRST, "op.execute('select pg_sleep(1.5)')")
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "invoke", "migrate"],
        cwd=migrated.path, env=migrated.full_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until(lambda: running(migrated, "pg_sleep"))

    process.send_signal(signal.SIGHUP)

    assert finish(process)[0] == 0
    assert current(migrated) == [FIRST]
