"""Revisions that would make the record untrue: found out before the step is recorded, whatever exit code they wanted."""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, current, has_table, query, write_revision
from tests.servers import Project

FIRST, LIAR = "aaaa00000001", "aaaa00000002"
ENDED = "it ended its own transaction, by COMMIT or ROLLBACK in its SQL or by commit() or rollback() on the connection"

# body, what is said, whether what the step made is gone
LIES = {
    "F62 COMMIT": ("op.execute('commit')", "its SQL says COMMIT, and a step is one transaction", True),
    "F62 END behind a comment": ("op.execute('/* x */ end')", "its SQL says END", True),
    "F62 BEGIN": ("op.execute('begin')", "its SQL says BEGIN", True),
    "F62 the refusal swallowed": (
        "try:\n    op.execute('rollback')\nexcept Exception:\n    pass",
        "its SQL says ROLLBACK, and a step is one transaction",
        True,
    ),
    "F62 COMMIT among other statements": (
        "op.execute('select 1; commit; select 2')",
        "its SQL says COMMIT, and a step is one transaction",
        True,
    ),
    "F62 COMMIT behind SQLAlchemy's back": (
        "op.get_bind().connection.dbapi_connection.cursor().execute('commit')",
        ENDED,
        False,
    ),
    "F62 commit() on the connection": ("op.get_bind().commit()", ENDED, False),
    "F62 ROLLBACK behind SQLAlchemy's back": (
        "op.get_bind().connection.dbapi_connection.cursor().execute('rollback')",
        ENDED,
        True,
    ),
    "F63 sys.exit(0)": ("import sys; sys.exit(0)", "the revision left the process (SystemExit: 0)", True),
    "F63 a thread that dies": (
        "import threading; t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
        "a thread of it died of ZeroDivisionError",
        True,
    ),
    "F64 an error swallowed": (
        "try:\n    op.execute('select * from nowhere')\nexcept Exception:\n    pass",
        'it went on after an error of the server: relation "nowhere" does not exist (42P01)',
        True,
    ),
    "F64 the error after the swallowed one": (
        "try:\n    op.execute('select * from nowhere')\nexcept Exception:\n    pass\nop.execute('select 1')",
        'it went on after an error of the server: relation "nowhere" does not exist (42P01)',
        True,
    ),
    "F65 SET search_path": (
        "op.execute('set search_path to stillroom')",
        "when it ended, the search_path was stillroom",
        True,
    ),
    "F65 SET ROLE": (
        "op.execute('set role pg_monitor')",
        "when it ended, the role was pg_monitor and not postgres",
        True,
    ),
    "F65 RESET ALL": ("op.execute('reset all')", "it reset the settings of its session, by RESET ALL or DISCARD", True),
    "F65 the lock let go": (
        "op.execute('select pg_advisory_unlock_all()')",
        "it let the migration lock go: another migration may be running by now",
        True,
    ),
    "F62 a second connection of SQLAlchemy's": (
        "op.get_bind().engine.connect().close()",
        ENDED,
        True,
    ),
    "F62 rollback() and something after it": (
        "op.get_bind().rollback(); op.execute('create table kept ()')",
        ENDED,
        True,
    ),
    "F62 DISCARD ALL between two transactions": (
        "with op.get_context().autocommit_block():\n    op.execute('discard all')",
        "it let the migration lock go",
        False,
    ),
    "F63 a thread that sends more after the step": (
        "import threading, time; b = op.get_bind()\n"
        "def more():\n    b.execute(sa.text('select 1')); time.sleep(30)\n"
        "threading.Thread(target=more, daemon=True).start(); time.sleep(0.5)",
        "a thread of it still runs, and may send more",
        True,
    ),
    "F63 a step that runs alembic": (
        "from alembic import command; from alembic.config import Config\ncommand.upgrade(Config('alembic.ini'), 'head')",
        "it runs alembic, which would wait for this run to end",
        True,
    ),
    "F63 a generator": ("yield", "it is a coroutine or a generator, so nothing of it ran", True),
    "F68 a second version row": (
        "op.execute(\"insert into alembic_version values ('zzz')\")",
        "it changed what alembic_version holds",
        True,
    ),
    "F68 the version row deleted": (
        "op.execute('delete from alembic_version')",
        "it changed what alembic_version holds",
        True,
    ),
    "F68 the version table dropped": (
        "op.execute('drop table alembic_version')",
        "it dropped or replaced alembic_version",
        True,
    ),
    "F68 the version table replaced": (
        "op.execute('drop table alembic_version; create table alembic_version (version_num varchar(32))')",
        "it dropped or replaced alembic_version",
        True,
    ),
    "F68 our schema dropped": ("op.execute('drop schema stillroom cascade')", "it dropped or replaced", True),
    "F68 DROP SCHEMA public": (
        "op.execute('drop schema public cascade')",
        "it dropped or replaced alembic_version",
        True,
    ),
}


@pytest.mark.parametrize(("body", "said", "is_gone"), LIES.values(), ids=LIES)
def test_a_revision_that_lies_is_found_out_and_not_recorded(
    migrated: Project, body: str, said: str, is_gone: bool
) -> None:
    write_revision(migrated, FIRST, "op.create_table('first', sa.Column('id', sa.Integer))")
    write_revision(migrated, LIAR, f"op.execute('create table lie ()')\n{body}", down=FIRST)

    done = migrated.invoke("migrate")

    assert done.code == 4, done.stderr
    assert f"{LIAR} failed" in done.stderr
    assert said in done.stderr
    state = "it was rolled back" if said != ENDED and is_gone else "part of it may have been committed"
    assert state in done.stderr
    assert "1 of 2 applied, 0 not tried" in done.stderr
    assert done.stderr.count("Traceback") == ("a thread of it died" in said)
    assert current(migrated) == [FIRST]
    assert has_table(migrated, "lie") == (not is_gone)
    assert query(migrated, "select environment from stillroom.mark") == [("development",)]


def test_an_autocommit_block_in_another_is_said_in_words(migrated: Project) -> None:
    """F64: Alembic only asserts that there is none."""
    block = "with op.get_context().autocommit_block():"
    write_revision(migrated, FIRST, f"{block}\n    {block}\n        pass")

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert "an autocommit_block inside another one, which Alembic does not have" in done.stderr
    assert current(migrated) == [HEAD]


def test_a_thread_of_an_earlier_step_sends_nothing_into_a_later_one(migrated: Project) -> None:
    """F63: a statement of a step's own thread, sent when the next step runs."""
    late = "import threading, time\ndef late():\n    time.sleep(2)\n    op.execute('create table lie ()')\nthreading.Thread(target=late, daemon=True).start()"
    write_revision(migrated, FIRST, late)
    write_revision(migrated, LIAR, "import time; time.sleep(3)", down=FIRST)

    done = migrated.invoke("migrate")

    assert done.code == 4, done.stderr
    assert f"{LIAR} failed: a thread that an earlier step left running sent a statement" in done.stderr
    assert current(migrated) == [FIRST]
    assert not has_table(migrated, "lie")


def test_what_a_step_sets_for_its_session_does_not_reach_the_next(migrated: Project) -> None:
    """F65: lock_timeout, statement_timeout and search_path of an autocommit block are put back."""
    write_revision(
        migrated,
        FIRST,
        "with op.get_context().autocommit_block():\n    op.execute(\"set lock_timeout = 0; set statement_timeout = 0; set search_path = 'stillroom'\")",
    )
    write_revision(
        migrated,
        LIAR,
        """
        names = ('lock_timeout', 'statement_timeout', 'search_path')
        op.execute('create table seen as select ' + ', '.join(f"current_setting('{name}') {name}" for name in names))
        """,
        down=FIRST,
    )

    done = migrated.invoke("migrate", env={"STILLROOM_STATEMENT_TIMEOUT_MS": "70000"})

    assert done.code == 0, done.stderr
    assert query(migrated, "select * from seen") == [("500ms", "70s", "public")]


def test_honest_steps_pass(migrated: Project) -> None:
    """No false alarm: savepoints, an error inside one, temporary settings, a role put back, an empty autocommit block."""
    write_revision(
        migrated,
        FIRST,
        """
        with op.get_context().autocommit_block():
            pass
        bind = op.get_bind()
        try:
            with bind.begin_nested():
                bind.execute(sa.text('select * from nowhere'))
        except sa.exc.DBAPIError:
            pass
        op.execute('savepoint a; rollback to savepoint a')
        op.execute("set local work_mem = '8MB'")
        op.execute('set role pg_monitor')
        op.execute('reset role')
        op.execute("do $$ begin perform 1; end $$")
        with op.get_context().autocommit_block():
            op.execute('create table made ()')
        op.execute("comment on table made is 'x; commit; y'")
        """,
    )

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert current(migrated) == [FIRST]


def test_a_rollback_is_held_to_the_same(migrated: Project) -> None:
    """F62 in a downgrade: the row stays where it was."""
    write_revision(migrated, FIRST, "pass", downgrade="op.get_bind().commit()")
    migrated.invoke("migrate")

    done = migrated.invoke("rollback", "--yes")

    assert done.code == 4
    assert ENDED in done.stderr
    assert current(migrated) == [FIRST]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "while True: pass",
            "error: no statement began or ended for 10 s, so it was stopped: interrupted in aaaa00000001",
        ),
        (
            "import time\nwhile True:\n    try:\n        time.sleep(60)\n    except BaseException:\n        pass",
            "the process that ran the steps gave no sign of life for 10 s, did not leave when told, and was killed; ",
        ),
    ],
    ids=["loop", "loop that swallows the signal"],
)
def test_an_endless_loop_is_stopped_by_the_process_outside(migrated: Project, body: str, said: str) -> None:
    """F66: the parent stops a step that neither begins nor ends a statement for longer than one may take."""
    write_revision(migrated, FIRST, f"op.execute('create table lie ()')\n{body}")

    done = migrated.invoke("migrate", env={"STILLROOM_STATEMENT_TIMEOUT_MS": "200", "STILLROOM_LOCK_TIMEOUT_MS": "100"})

    assert done.code == 4, done.stderr
    assert said in done.stderr
    assert f"is at {HEAD}" in done.stderr or "look for an endless loop in the revision" in done.stderr
    assert current(migrated) == [HEAD]
    assert not has_table(migrated, "lie")


def test_a_statement_that_takes_too_long_is_ended_by_the_server(migrated: Project) -> None:
    """F66, F70: statement_timeout; the step is rolled back and the setting named."""
    write_revision(migrated, FIRST, "op.execute('create table lie ()')\nop.execute('select pg_sleep(30)')")

    done = migrated.invoke("migrate", env={"STILLROOM_STATEMENT_TIMEOUT_MS": "200", "STILLROOM_LOCK_TIMEOUT_MS": "100"})

    assert done.code == 4
    assert (
        f"{FIRST} failed at line 12: canceling statement due to statement timeout (57014); it was rolled back"
        in done.stderr
    )
    assert "raise STILLROOM_STATEMENT_TIMEOUT_MS" in done.stderr
    assert not has_table(migrated, "lie")


def test_an_enum_value_used_in_its_own_step_is_explained(migrated: Project) -> None:
    """F73: the server's 55P04 gets a hint that says where the value belongs."""
    query(migrated, "create type mood as enum ('a')")
    write_revision(migrated, FIRST, "op.execute(\"alter type mood add value 'b'\")\nop.execute(\"select 'b'::mood\")")

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert "unsafe use of new value" in done.stderr
    assert "put `ALTER TYPE … ADD VALUE` into an autocommit block or a revision before" in done.stderr
