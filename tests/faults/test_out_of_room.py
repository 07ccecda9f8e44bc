"""A server without room: its disk, its lock slots; the step is rolled back, and the hint says what to do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.commands.support import HEAD, current, has_table, write_revision
from tests.faults.own_server import OwnServer, give, own_server
from tests.servers import Project

FIRST = "aaaa00000001"
FILLS_A_TABLESPACE = """
op.execute('create table half (text text) tablespace small')
op.execute("insert into half select repeat(generate_series(1, 200000)::text, 100)")
"""
FILLS_TEMPORARY_FILES = """
op.execute('create table half ()')
op.execute("select n from generate_series(1, 2000000) n order by md5(n::text)")
"""
TAKES_EVERY_LOCK = """
op.execute('create table half ()')
op.execute("do $$ begin for n in 1..5000 loop execute 'create table many_' || n || ' ()'; end loop; end $$")
"""


@pytest.fixture(scope="module")
def small() -> Iterator[OwnServer]:
    """A server with few lock slots, and little room for temporary files."""
    settings = {"max_locks_per_transaction": "10", "max_connections": "10", "temp_file_limit": "2MB"}
    with own_server(settings=settings) as running:
        yield running


@contextmanager
def full_disk(server: OwnServer) -> Iterator[tuple[str, str]]:
    """K5: a tablespace on a file system of 12 MiB; without root there is none, and a limit of the server stands for it."""
    if os.geteuid() != 0:
        yield FILLS_TEMPORARY_FILES, "temporary file size exceeds"
        return
    folder = server.folder / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], check=True)
    try:
        give(folder, server.programs.account)
        folder.chmod(0o700)
        server.query(f"create tablespace small location '{folder}'")
        yield FILLS_A_TABLESPACE, "No space left on device (53100)"
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fails(project: Project, body: str) -> str:
    """Let a step fail, require that nothing of it is there and that the next run goes on, and return what was said."""
    write_revision(project, FIRST, body)
    failed = project.invoke("migrate")
    state = current(project), has_table(project, "half")
    write_revision(project, FIRST, "op.execute('create table half ()')")
    done = project.invoke("migrate")

    assert failed.code == 4, failed.stderr
    assert "; it was rolled back; 0 of 1 applied, 0 not tried" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert state == ([HEAD], False)
    assert done.code == 0, done.stderr
    return failed.stderr


@pytest.fixture
def project_on_small(project: Project, small: OwnServer) -> Project:
    """A project at head on that server."""
    project.database = small.as_server.make_database()
    project.environment |= {"DATABASE_URL": small.url(project.database.name), "APP_ENV": "development"}
    done = project.invoke("migrate")
    assert done.code == 0, done.stderr
    return project


def test_a_full_disk_rolls_the_step_back(project_on_small: Project, small: OwnServer) -> None:
    """F70: the server's words, and to free some space."""
    with full_disk(small) as (body, said):
        stderr = fails(project_on_small, body)

    assert said in stderr
    assert "free some space" in stderr or "raise the limit" in stderr


def test_no_lock_slots_left_rolls_the_step_back(project_on_small: Project) -> None:
    """F70: the setting to raise is named."""
    stderr = fails(project_on_small, TAKES_EVERY_LOCK)

    assert "out of shared memory (53200)" in stderr
    assert "`max_locks_per_transaction`" in stderr
