"""Concurrent builds that fail, and what hides that they did."""

from __future__ import annotations

import contextlib

import psycopg2
import pytest

from tests.commands.support import HEAD, current, in_transaction, interrupt, launch, query, until, write_revision
from tests.servers import Project

STEP = "aaaa00000001"
BUILD = "with op.get_context().autocommit_block():\n    op.execute('create unique index concurrently {} ix_twice on users (display_name)')"
INVALID = "select indisvalid from pg_index where indexrelid = 'ix_twice'::regclass"


def two_of_a_name(project: Project) -> None:
    """Two rows that no unique index can hold."""
    query(project, "insert into users (email, display_name) values ('a@example.com', 'Ada'), ('b@example.com', 'Ada')")


def test_a_failed_concurrent_build_names_the_index_it_leaves_and_how_to_drop_it(migrated: Project) -> None:
    """F71: the index stays invalid; message, hint, and the same command again after the hint was followed."""
    two_of_a_name(migrated)
    write_revision(migrated, STEP, BUILD.format(""))

    first = migrated.invoke("migrate")
    again = migrated.invoke("migrate")

    assert (first.code, again.code) == (4, 3)
    assert 'could not create unique index "ix_twice" (23505); it left the invalid index public.ix_twice' in first.stderr
    assert (
        "`invoke migrate --resume` drops it and builds it again (by hand: `DROP INDEX CONCURRENTLY public.ix_twice;`)"
        in first.stderr
    )
    assert "  invalid: create unique index concurrently ix_twice on users (display_name)" in again.stderr.replace(
        "  ix", " ix"
    )
    assert current(migrated) == [HEAD]

    query(migrated, "drop index concurrently public.ix_twice")
    query(migrated, "delete from users where email = 'b@example.com'")
    done = migrated.invoke("migrate")
    assert done.code == 0, done.stderr
    assert query(migrated, INVALID) == [(True,)]


def test_if_not_exists_does_not_hide_an_invalid_index(migrated: Project) -> None:
    """F72: plain Alembic says 0 and head, and duplicates are accepted for ever."""
    two_of_a_name(migrated)
    write_revision(migrated, STEP, BUILD.format("if not exists"))
    first = migrated.invoke("migrate")
    settled = migrated.invoke("migrate", "--resume", "--as", "undone")

    again = migrated.invoke("migrate")

    assert (first.code, settled.code, again.code) == (4, 0, 4)
    assert "index public.ix_twice is invalid: a build of it failed, now or before" in again.stderr
    assert "`DROP INDEX CONCURRENTLY public.ix_twice;`" in again.stderr
    assert current(migrated) == [HEAD]


HIDDEN = {
    "in a DO block": "op.execute('do $x$ begin create unique index if not exists ix_twice on users (display_name); end $x$')",
    "by a cursor of the driver's": (
        "op.get_bind().connection.dbapi_connection.cursor().execute("
        "'create unique index if not exists ix_twice on users (display_name)')"
    ),
    "on another table": "op.execute('create index if not exists ix_twice on tasks (title)')",
}


@pytest.mark.parametrize("body", HIDDEN.values(), ids=HIDDEN)
def test_if_not_exists_hides_nothing_wherever_it_stands(migrated: Project, body: str) -> None:
    """F72."""
    two_of_a_name(migrated)
    write_revision(migrated, STEP, BUILD.format(""))
    migrated.invoke("migrate")
    migrated.invoke("migrate", "--resume", "--as", "undone")
    write_revision(migrated, STEP, body)

    done = migrated.invoke("migrate")

    assert done.code == 4, done.stderr
    assert "index public.ix_twice is invalid" in done.stderr
    assert current(migrated) == [HEAD]


def test_an_invalid_index_of_somebody_else_is_no_reason(migrated: Project) -> None:
    """No false refusal: another session's failed build is not this step's."""
    two_of_a_name(migrated)
    write_revision(migrated, STEP, BUILD.format(""))
    migrated.invoke("migrate")
    migrated.invoke("migrate", "--resume", "--as", "undone")
    write_revision(migrated, STEP, "op.create_index('ix_other', 'users', ['display_name'])")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr


def test_an_index_without_a_name_is_found_as_well(migrated: Project) -> None:
    """F71: the server chose its name, so that only a look before and after tells; the rerun names it too."""
    two_of_a_name(migrated)
    body = "with op.get_context().autocommit_block():\n    op.execute('create unique index concurrently on users (display_name)')"
    write_revision(migrated, STEP, body)

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert "it left the invalid index public.users_display_name_idx" in done.stderr
    assert "`DROP INDEX CONCURRENTLY public.users_display_name_idx;`" in done.stderr


def test_an_index_of_that_name_in_another_schema_is_no_reason(migrated: Project) -> None:
    """No false refusal: the name is the same, the table is not."""
    query(migrated, "create schema tenant; create table tenant.rows (n int); insert into tenant.rows values (1), (1)")
    with contextlib.suppress(psycopg2.errors.UniqueViolation):
        query(migrated, "create unique index concurrently ix_same on tenant.rows (n)")
    write_revision(migrated, STEP, "op.create_index('ix_same', 'users', ['display_name'])")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr


def test_an_interrupted_build_names_what_it_leaves(migrated: Project) -> None:
    """F51, F71: Ctrl-C in a concurrent build."""
    write_revision(migrated, STEP, BUILD.format("").replace("unique", ""))
    with in_transaction(migrated, "lock table users in row exclusive mode"):
        process = launch(migrated, "migrate")
        until(lambda: query(migrated, "select 1 from pg_index where not indisvalid"))
        stopped = interrupt(process)

    assert stopped.code == 130, stopped.stderr
    assert "it left the invalid index public.ix_twice" in stopped.stderr
    assert "`DROP INDEX CONCURRENTLY public.ix_twice;`" in stopped.stderr
