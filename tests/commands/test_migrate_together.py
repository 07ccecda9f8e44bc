"""`migrate`: several at once, beside plain alembic, and beside somebody who holds a table."""

from __future__ import annotations

import time
from contextlib import closing

from tests.commands.support import (
    HEAD,
    current,
    database_of,
    finish,
    holding_lock,
    in_transaction,
    launch,
    query,
    until,
    write_revision,
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


def test_a_step_goes_through_when_the_reader_of_its_table_leaves(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.add_column('tasks', sa.Column('note', sa.Text))")
    reader = database_of(migrated).connect()
    with closing(reader), reader.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select * from tasks where title = 'a secret'")
        pid = reader.info.backend_pid

        process = launch(migrated, "migrate")
        assert process.stderr is not None
        named, retried = process.stderr.readline(), process.stderr.readline()
        reader.close()
        code, _, rest = finish(process)

    assert code == 0, named + retried + rest
    assert f"waiting for pid {pid}, postgres, no application name, idle in transaction for" in named
    assert named.endswith(" s: select * from tasks where title = ?\n")
    assert "aaaa00000001: canceling statement due to lock timeout (55P03); trying again in" in retried


def test_a_step_that_never_gets_its_table_gives_up_and_leaves_nothing(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.create_table('extra', sa.Column('id', sa.Integer))")
    write_revision(migrated, "aaaa00000002", "op.add_column('tasks', sa.Column('note', sa.Text))", down="aaaa00000001")

    with in_transaction(migrated, "select * from tasks"):
        done = migrated.invoke("migrate", env={"STILLROOM_LOCK_TRIES": "2", "STILLROOM_LOCK_TIMEOUT_MS": "100"})

    assert done.code == 4
    assert (
        "aaaa00000002 failed at line 11: canceling statement due to lock timeout (55P03); it was rolled back; 1 of 2 applied, 0 not tried"
        in done.stderr
    )
    assert current(migrated) == ["aaaa00000001"]


def test_a_foreign_reader_waits_no_longer_than_the_lock_timeout(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.add_column('tasks', sa.Column('note', sa.Text))")
    slowest = 0.0

    with in_transaction(migrated, "select * from tasks"):
        process = launch(migrated, "migrate", env={"STILLROOM_LOCK_TRIES": "4"})
        until(lambda: query(migrated, "select 1 from pg_locks where not granted and relation = 'tasks'::regclass"))
        while process.poll() is None:
            started = time.monotonic()
            query(migrated, "select count(*) from tasks")
            slowest = max(slowest, time.monotonic() - started)
        finish(process)

    assert 0.1 < slowest < 2.5
