"""What a step leaves behind for the next one, and what it sends by a cursor of the driver's own."""

from __future__ import annotations

import time

import pytest

from tests.commands.support import (
    HEAD,
    current,
    database_of,
    finish,
    has_table,
    in_transaction,
    launch,
    query,
    until,
    write_revision,
)
from tests.servers import Project

FIRST, SECOND = "aaaa00000001", "aaaa00000002"
RAW = "op.get_bind().connection.dbapi_connection.cursor()"
SETS = {
    "timezone": "'America/New_York'",
    "default_transaction_isolation": "'serializable'",
    "default_transaction_read_only": "on",
    "row_security": "off",
    "bytea_output": "'escape'",
    "idle_in_transaction_session_timeout": "0",
    "client_connection_check_interval": "0",
}


def test_a_setting_that_a_step_leaves_changed_is_put_back_before_the_next(migrated: Project) -> None:
    """F65: else what the second step does depends on whether both ran at once."""
    write_revision(migrated, FIRST, f"op.execute({'; '.join(f'set {name} = {to}' for name, to in SETS.items())!r})")
    columns = ", ".join(f"current_setting('{name}') as {name}" for name in SETS)
    write_revision(migrated, SECOND, f"op.execute({f'create table seen as select {columns}'!r})", down=FIRST)
    usual = query(migrated, "select current_setting('timezone')")[0][0]

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    seen = query(migrated, "select * from seen")
    assert seen == [(usual, "read committed", "off", "on", "hex", "10min", "1s")]


BOUNDS = {
    "client_connection_check_interval": "1s",
    "idle_in_transaction_session_timeout": "10min",
    "idle_session_timeout": "0",
    "lock_timeout": "500ms",
    "statement_timeout": "1h",
}


@pytest.mark.parametrize("program", ["invoke", "alembic"])
def test_the_session_that_migrates_is_bounded_on_every_side(migrated: Project, program: str) -> None:
    """F30, F41, F53: what lets the server notice a dead client, and keeps it from ending a slow run between two steps."""
    for name in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
        query(migrated, f"alter database {database_of(migrated).name} set {name} = '5s'")
    columns = ", ".join(f"current_setting('{name}') as {name}" for name in BOUNDS)
    write_revision(migrated, FIRST, f"op.execute({f'create table seen as select {columns}'!r})")

    done = migrated.invoke("migrate") if program == "invoke" else migrated.alembic("upgrade", "head")

    assert done.code == 0, done.stderr
    assert query(migrated, "select * from seen") == [tuple(BOUNDS.values())]


def test_plain_alembic_puts_settings_back_as_well(migrated: Project) -> None:
    """F65."""
    write_revision(migrated, FIRST, "op.execute(\"set bytea_output = 'escape'\")")
    write_revision(
        migrated, SECOND, "op.execute(\"create table seen as select current_setting('bytea_output')\")", down=FIRST
    )

    done = migrated.alembic("upgrade", "head")

    assert done.code == 0, done.stderr
    assert query(migrated, "select * from seen") == [("hex",)]


def test_waits_are_bounded_again_after_a_concurrent_build_that_failed(migrated: Project) -> None:
    """F43: the build waits without limit, what comes after it does not, though the revision caught the error."""
    query(migrated, "create table twice as select 1 as id from generate_series(1, 2)")
    body = """
    with op.get_context().autocommit_block():
        try:
            op.execute('create unique index concurrently once on twice (id)')
        except Exception:
            op.execute('drop index concurrently if exists once')
        op.execute("create table seen as select current_setting('lock_timeout')")
    """
    write_revision(migrated, FIRST, body)

    done = migrated.invoke("migrate")

    assert query(migrated, "select * from seen") == [("500ms",)], done.stderr


def test_a_statement_of_the_drivers_own_cursor_is_tried_again_with_its_step(migrated: Project) -> None:
    """F43: psycopg2's error, which SQLAlchemy does not wrap."""
    write_revision(migrated, FIRST, f"{RAW}.execute('alter table users add column note text')")

    with in_transaction(migrated, "select * from users"):
        process = launch(migrated, "migrate")
        until(lambda: query(migrated, "select 1 from pg_locks where not granted and relation = 'users'::regclass"))
        time.sleep(1)
    code, _, stderr = finish(process)

    assert code == 0, stderr
    assert "trying again in" in stderr
    assert current(migrated) == [FIRST]


QUOTED = {
    "the driver's cursor": (f"{RAW}.execute(\"select 'ROWDATA'::int\")", "migrate"),
    "the driver's cursor through alembic": (
        f"{RAW}.execute(\"create table u (v text unique); insert into u values ('ROWDATA'), ('ROWDATA')\")",
        "alembic",
    ),
    "a literal without end": ('op.execute("create role zz password \'ROWDATA")', "migrate"),
    "a quote in a literal": ("op.execute(\"select 'O'ROWDATA')\")", "migrate"),
}


@pytest.mark.parametrize(("body", "program"), QUOTED.values(), ids=QUOTED)
def test_what_a_statement_quotes_is_hidden(migrated: Project, body: str, program: str) -> None:
    """F67, S04."""
    write_revision(migrated, FIRST, body)

    done = migrated.alembic("upgrade", "head") if program == "alembic" else migrated.invoke("migrate")

    assert done.code != 0
    assert "(2" in done.stdout + done.stderr or "(42601)" in done.stdout + done.stderr
    assert "ROWDATA" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert current(migrated) == [HEAD]


def test_a_typing_error_is_still_shown(migrated: Project) -> None:
    write_revision(migrated, FIRST, "op.execute('creat table x ()')")

    done = migrated.invoke("migrate")

    assert 'syntax error at or near "creat" (42601)' in done.stderr


def test_a_lock_of_the_steps_own_is_not_taken_for_the_migration_lock(migrated: Project) -> None:
    """F65: as many locks as before, but not the one."""
    write_revision(migrated, FIRST, "op.execute('select pg_advisory_unlock_all(); select pg_advisory_lock(42)')")

    done = migrated.invoke("migrate")

    assert done.code == 4, done.stderr
    assert "it let the migration lock go" in done.stderr


def test_the_streams_of_a_revision_can_all_that_pythons_own_can(migrated: Project) -> None:
    """S03: and what is written as bytes is masked as well."""
    migrated.environment["DATABASE_URL"] = migrated.environment["DATABASE_URL"].replace(
        "postgres@", "postgres:s3cr3t-w0rd@"
    )
    write_revision(
        migrated,
        FIRST,
        """
        import sys
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(line_buffering=True)
            stream.buffer.write(b'bytes s3cr3t-w0rd here\\n')
            assert stream.encoding and stream.writable()
            print('text s3cr3t-w0rd here', file=stream)
        op.execute('create table made ()')
        """,
    )

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert has_table(migrated, "made")
    assert "s3cr3t-w0rd" not in done.stdout + done.stderr
    assert (done.stderr.count("bytes *** here"), done.stderr.count("text *** here")) == (2, 2)
