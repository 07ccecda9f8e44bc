"""`migrate`: several at once, beside plain alembic, and beside somebody who holds a table."""

from __future__ import annotations

from tests.commands.support import (
    HEAD,
    current,
    finish,
    holding_lock,
    launch,
)
from tests.servers import Project


def test_plain_alembic_and_migrate_exclude_each_other(project_on_database: Project) -> None:
    """F49."""
    programs = [("invoke", "migrate"), ("alembic", "upgrade", "head")] * 3

    ended = [
        finish(process)
        for process in [launch(project_on_database, *args, program=program) for program, *args in programs]
    ]

    assert [code for code, _, _ in ended] == [0] * 6, ended
    assert current(project_on_database) == [HEAD]


def test_plain_alembic_gives_up_when_the_wait_runs_out(project_on_database: Project) -> None:
    with holding_lock(project_on_database):
        done = project_on_database.alembic("upgrade", "head", env={"STILLROOM_WAIT_S": "0.5"})

    assert done.code != 0
    assert "another migration is running (pid " in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
