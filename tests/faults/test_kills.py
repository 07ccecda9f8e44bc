"""Runs that are killed: at random times, and at every seam the code announces; the next run finishes what they began."""

from __future__ import annotations

import ast
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.support import (
    HEAD,
    current,
    finish,
    has_table,
    launch,
    query,
    set_mark,
    until,
    write_revision,
)
from tests.counting import Counted
from tests.faults.rows import ROWS, advisory_locks, balances, make_accounts
from tests.servers import ROOT, Database, Project, Server

STEPS = ["aaaa00000001", "aaaa00000002", "aaaa00000003"]
KILLED_AT = """
import os, signal, sys
def die(event, arguments):
    if event == "stillroom.seam" and arguments == ({name!r},):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(die)
from invoke.main import program
program.run(["invoke", *sys.argv[1:]])
"""
# Which task passes a seam; every other is passed by migrate.
PASSED_BY = {
    "mark written": ("mark", "--environment", "development"),
    "mark committed": ("mark", "--environment", "development"),
    "version table written": ("stamp", "abc123def456", "--allow", "unproven"),
    "version table committed": ("stamp", "abc123def456", "--allow", "unproven"),
    "schemas dropped and put back": ("reset-dev", "--yes"),
    "reset committed": ("reset-dev", "--yes"),
}
# Passed by steps that commit as they go: `test_journal.py` kills there.
IN_AUTOCOMMIT = {"statement entered", "statement done", "journal written", "batch written", "batch committed"}
# Passed by a restore: `test_killed_restores.py` kills there.
IN_RESTORE = {
    "database created",
    "copy filled", "copy filled and compared", "mark carried over", "live database renamed", "both databases renamed",
    "sessions ended", "databases swapped",
}  # fmt: skip


def three_steps(project: Project) -> None:
    """A table, every balance ten more, and a column: each in a transaction of its own, each slow enough to be met."""
    first, second, third = STEPS
    write_revision(project, first, "op.execute('create table first ()')\nop.execute('select pg_sleep(0.1)')")
    write_revision(
        project,
        second,
        "op.execute('update account set balance = balance + 10')\nop.execute('select pg_sleep(0.1)')",
        down=first,
    )
    write_revision(project, third, "op.execute('alter table account add column note text')", down=second)


def require_whole_steps(project: Project) -> None:
    """The database equals the state after the step that the version table names; nothing is locked any more."""
    until(lambda: advisory_locks(project) == 0, within_s=5)
    done = [HEAD, *STEPS].index(current(project)[0])
    columns = query(project, "select count(*) from pg_attribute where attrelid = 'account'::regclass and attnum > 0")
    assert has_table(project, "first") == (done >= 1)
    assert balances(project) == [(10 if done >= 2 else 0, ROWS)]
    assert columns == [(3 if done >= 3 else 2,)]


def announced_seams() -> list[str]:
    """Read the names out of the source; a seam without a literal name is an error."""
    names = set()
    for path in (ROOT / "src/stillroom").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "seam":
                assert isinstance(node.args[0], ast.Constant), (
                    f"{path}, line {node.lineno}: a seam needs a literal name"
                )
                names.add(str(node.args[0].value))
    return sorted(names)


@pytest.mark.parametrize("name", [each for each in announced_seams() if each not in IN_AUTOCOMMIT | IN_RESTORE])
def test_killed_at_a_seam_a_rerun_finishes(migrated: Project, name: str) -> None:
    """F53, K2: the process that passes the seam is killed there; the state is that of a whole step, and a rerun ends well."""
    task = PASSED_BY.get(name, ("migrate",))
    if task[0] == "migrate":
        make_accounts(migrated)
        three_steps(migrated)
    if task[0] == "mark":
        set_mark(migrated, None)

    killed = migrated.run(sys.executable, "-c", KILLED_AT.format(name=name), *task)

    assert killed.code in {4, -signal.SIGKILL}, (killed.stdout, killed.stderr)
    assert "Traceback" not in killed.stderr
    until(lambda: advisory_locks(migrated) == 0, within_s=5)
    if task[0] == "migrate":
        require_whole_steps(migrated)
    again = migrated.invoke(*task)
    assert again.code == 0, again.stderr
    if task[0] == "migrate":
        assert current(migrated) == STEPS[-1:]
        require_whole_steps(migrated)


def test_killed_at_random_times_a_rerun_finishes(
    project: Project, server: Server, template: Database, rounds: int, counted: Counted
) -> None:
    """F53: parent, child or both; after each kill the state is that of a whole step, and the rerun brings the rest."""
    seed = random.randrange(10**6)
    chance, tried, met = random.Random(seed), rounds * 10 if rounds > 10 else rounds * 2, [0, 0, 0, 0]
    three_steps(project)
    for _ in range(tried):
        database = server.make_database(template=template.name)
        project.database, project.environment["DATABASE_URL"] = database, database.url
        make_accounts(project)
        process = launch(project, "migrate")
        wait_for_the_moment(project, process, chance)

        kill(process, chance.choice(["parent", "child", "both"]))
        finish(process)

        require_whole_steps(project)
        met[[HEAD, *STEPS].index(current(project)[0])] += 1
        again = project.invoke("migrate")
        assert again.code == 0, (seed, again.stderr)
        assert current(project) == STEPS[-1:]
        require_whole_steps(project)
        database.drop()
    counted(f"{tried} kills at random times (seed {seed}): {met} at base and after one, two, three steps; 0 failures")


def wait_for_the_moment(project: Project, process: subprocess.Popen[str], chance: random.Random) -> None:
    """Most kills meet the steps, which begin when the lock is taken; the others whatever there is."""
    if chance.random() < 0.7:
        until(lambda: advisory_locks(project) or process.poll() is not None)
        time.sleep(chance.uniform(0.0, 0.7))
    else:
        time.sleep(chance.uniform(0.2, 1.6))


def kill(process: subprocess.Popen[str], who: str) -> None:
    try:
        children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    except FileNotFoundError:
        children = []
    for pid in ([process.pid] if who != "child" else []) + (children if who != "parent" else []):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
