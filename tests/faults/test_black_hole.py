"""A server that vanishes without a word, in the middle of things: an answer within half a minute, and no lock left behind."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.commands.support import write_revision
from tests.counting import Counted
from tests.faults.black_hole import FAR, Cable, cable
from tests.faults.outside import until
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project, copy_project

ANSWER_WITHIN_S = 30
FIRST = "aaaa00000001"
SLEEPS_IN_A_STATEMENT = "op.create_table('halfway', sa.Column('id', sa.Integer))\nop.execute('select pg_sleep(60)')"
SLEEPS_IN_COMMIT = """
op.create_table('halfway', sa.Column('id', sa.Integer))
op.execute('''create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(3); return null; end' ''')
op.execute('create constraint trigger slow after insert on halfway deferrable initially deferred for each row execute function slow()')
op.execute('insert into halfway values (1)')
"""


@dataclass(frozen=True)
class Seen:
    """What was seen of a task whose server vanished.

    Args:
        code: Its exit code; None when it had to be killed.
        seconds: From the moment the packets vanished to the answer.
        stderr: What it said.
        freed_after_s: When the server had ended its session; None where it had none.
    """

    code: int | None
    seconds: float
    stderr: str
    freed_after_s: float | None = None


@pytest.fixture(scope="module")
def vanished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Seen]]:
    """Three tasks at once on a server that vanishes: in a statement, in COMMIT, and before the first word."""
    with cable() as network, ExitStack() as stack:
        server = stack.enter_context(
            own_server(
                settings={"listen_addresses": "*"}, prefix=network.server, hba=["host all all 10.231.7.0/30 trust"]
            )
        )
        running: dict[str, subprocess.Popen[str]] = {}
        try:
            seen = _watch(network, server, tmp_path_factory, running)
        finally:
            for each in running.values():
                each.kill()
        yield seen


def _watch(
    network: Cable, server: OwnServer, folders: pytest.TempPathFactory, running: dict[str, subprocess.Popen[str]]
) -> dict[str, Seen]:
    for name, body, words in (
        ("statement", SLEEPS_IN_A_STATEMENT, "%pg_sleep(60)%"),
        ("commit", SLEEPS_IN_COMMIT, "COMMIT"),
    ):
        project = _one_revision(folders.mktemp(name) / "project", server, name, body)
        running[name] = _launch(network, project, "migrate")
        until(partial(_sessions, server, "query like %s and state = 'active'", words), f"{name} is under way")
    network.drop()
    dropped_at = time.monotonic()
    running["connect"] = _launch(network, project, "status")
    freed: dict[str, float] = {}
    ended: dict[str, float] = {}
    while time.monotonic() < dropped_at + 2 * ANSWER_WITHIN_S and len(ended) + len(freed) < 5:
        for name, process in running.items():
            if name not in ended and process.poll() is not None:
                ended[name] = time.monotonic() - dropped_at
            if name != "connect" and name not in freed and not _sessions(server, "datname = %s", name):
                freed[name] = time.monotonic() - dropped_at
        time.sleep(0.05)
    network.mend()
    return {name: _seen(process, ended.get(name), freed.get(name)) for name, process in running.items()}


def _one_revision(folder: Path, server: OwnServer, database: str, body: str) -> Project:
    project = copy_project(folder)
    for each in (folder / "migrations" / "alembic" / "versions").glob("*.py"):
        each.unlink()
    write_revision(project, FIRST, body, down=None)
    server.query(f"create database {database}")
    project.environment["DATABASE_URL"] = server.url(database, host=FAR)
    return project


def _launch(network: Cable, project: Project, task: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*network.near, sys.executable, "-m", "invoke", task],
        cwd=project.path,
        env=project.full_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _sessions(server: OwnServer, condition: str, value: str) -> bool:
    found = server.query(f"select pid from pg_stat_activity where {condition} and pid <> pg_backend_pid()", value)
    return bool(found)


def _seen(process: subprocess.Popen[str], seconds: float | None, freed_after_s: float | None) -> Seen:
    if seconds is None:
        process.kill()
    _, stderr = process.communicate(timeout=10)
    return Seen(None if seconds is None else process.returncode, seconds or -1, stderr, freed_after_s)


@pytest.mark.parametrize("where", ["statement", "commit", "connect"])
def test_a_server_that_vanishes_is_given_up_within_half_a_minute(
    vanished: dict[str, Seen], where: str, counted: Counted
) -> None:
    """F30: packets that vanish without a reset, in a statement, in COMMIT and at the start."""
    seen = vanished[where]

    counted(f"{where}: answered after {seen.seconds:.1f} s, freed after {seen.freed_after_s or 0:.1f} s")
    assert seen.code == 4, seen
    assert seen.seconds < ANSWER_WITHIN_S
    assert "Traceback" not in seen.stderr


def test_the_server_lets_go_of_the_locks_of_a_client_that_vanished(vanished: dict[str, Seen]) -> None:
    """F30: its own keepalives end the session in the middle of a statement."""
    freed = vanished["statement"].freed_after_s

    assert freed is not None
    assert freed < ANSWER_WITHIN_S


def test_a_commit_whose_answer_vanished_is_not_called_rolled_back(vanished: dict[str, Seen]) -> None:
    """F33: it may have been applied (here it was), and nobody can be asked."""
    said = vanished["commit"].stderr

    assert "state unknown" in said
    assert "rolled back" not in said
    assert "`invoke status`" in said
