"""What the server says at COMMIT itself, and what a step leaves running or swallows."""

from __future__ import annotations

import signal
import time

from tests.commands.support import (
    HEAD,
    current,
    database_of,
    finish,
    has_table,
    in_transaction,
    interrupt,
    launch,
    query,
    until,
    write_revision,
)
from tests.servers import Project

FIRST, SECOND = "aaaa00000001", "aaaa00000002"


def test_a_constraint_that_is_checked_at_commit_rolls_the_step_back(migrated: Project) -> None:
    """F31: nothing was committed, and nothing else is said."""
    body = """
    op.execute('create table parent (id int primary key)')
    op.execute('create table child (id int references parent deferrable initially deferred)')
    op.execute('insert into child values (1)')
    """
    write_revision(migrated, FIRST, body)

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert f"{FIRST} failed: insert or update on table" in done.stderr
    assert "(23503); it was rolled back; 0 of 1 applied, 0 not tried" in done.stderr
    assert "autocommit" not in done.stderr
    assert not has_table(migrated, "parent")


def test_a_serialization_failure_at_commit_is_tried_again(migrated: Project) -> None:
    """F45, 40001 where a serializable transaction meets it: at COMMIT."""
    query(migrated, "create sequence tries")
    query(
        migrated,
        "create function late() returns trigger language plpgsql as $$ begin if nextval('tries') < 3 then "
        "raise exception 'changed meanwhile' using errcode = '40001'; end if; return null; end $$",
    )
    query(
        migrated,
        "create constraint trigger late after insert on users deferrable initially deferred for each row execute function late()",
    )
    write_revision(migrated, FIRST, "op.execute(\"insert into users (email, display_name) values ('a@b.c', 'Ada')\")")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert done.stderr.count("changed meanwhile (40001); trying again in") == 2
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_a_signal_that_a_step_swallows_is_obeyed(migrated: Project) -> None:
    """F51: `except:` in a revision catches the interruption; the step is rolled back all the same."""
    swallows = "import time\nop.execute('create table half ()')\ntry:\n    time.sleep(8)\nexcept:\n    pass"
    write_revision(migrated, FIRST, swallows)
    write_revision(migrated, SECOND, "op.execute('create table more ()')", down=FIRST)
    process = launch(migrated, "migrate")
    until(lambda: query(migrated, "select 1 from pg_stat_activity where query like '%half%' and state like 'idle in%'"))

    stopped = interrupt(process, signal.SIGTERM)

    assert stopped.code == 130, stopped.stderr
    assert f"interrupted in {FIRST}: it was rolled back; 0 of 2 applied" in stopped.stderr
    assert current(migrated) == [HEAD]


def test_what_a_step_leaves_running_does_not_hold_the_task(migrated: Project) -> None:
    """F63: a process that a revision forked lives on; the task ends with its work."""
    write_revision(migrated, FIRST, "import os, time\nif os.fork() == 0:\n    time.sleep(20)\n    os._exit(0)")
    started = time.monotonic()

    process = launch(migrated, "migrate")
    assert process.stdout is not None
    said = process.stdout.readline()
    process.wait(20)
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()

    assert time.monotonic() - started < 15
    assert (process.returncode, "1 revision applied" in said) == (0, True)
    assert current(migrated) == [FIRST]


def test_a_step_that_ends_the_process_is_noticed_although_it_left_another_one_running(migrated: Project) -> None:
    """F63: the process that a revision forked holds the pipe open; that its parent is gone shows all the same."""
    write_revision(
        migrated, FIRST, "import os, time\nif os.fork() == 0:\n    time.sleep(20)\n    os._exit(0)\nos._exit(0)"
    )
    started = time.monotonic()

    process = launch(migrated, "migrate")
    assert process.stderr is not None
    said = [process.stderr.readline() for _ in range(2)]
    process.wait(20)
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()

    assert time.monotonic() - started < 15
    assert process.returncode == 4
    assert f"left the process with exit code 0; {database_of(migrated).name}" in said[0]
    assert current(migrated) == [HEAD]


def test_rows_of_one_statement_are_each_tried_again(migrated: Project) -> None:
    """F43: executemany in an autocommit block; what is in is not put in twice."""
    query(migrated, "create table counted (n int)")
    rows = "[{'n': 1}, {'n': 2}, {'n': 3}]"
    write_revision(
        migrated,
        FIRST,
        f"with op.get_context().autocommit_block():\n    op.get_bind().execute(sa.text('insert into counted values (:n)'), {rows})",
    )
    with in_transaction(migrated, "lock table counted"):
        process = launch(migrated, "migrate", env={"STILLROOM_LOCK_TRIES": "100"})
        until(lambda: query(migrated, "select 1 from pg_locks where not granted and relation = 'counted'::regclass"))
        time.sleep(1)
    code, _, stderr = finish(process)

    assert code == 0, stderr
    assert query(migrated, "select n from counted order by 1") == [(1,), (2,), (3,)]
