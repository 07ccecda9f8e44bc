"""The moment a backup is of: tables held first, then the snapshot."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest

from stillroom.core.contents import TableRows
from stillroom.edges.postgres.rows import count_rows
from stillroom.edges.postgres.snapshot import exported_snapshot
from stillroom.errors import DatabaseError, ToolError
from tests.servers import Database


@pytest.fixture
def tables(database: Database) -> Database:
    """Two tables, one of them with a dot in its name, and a partitioned one."""
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(
            """create schema "odd ""schema"; create table "odd ""schema"."a.b" as select generate_series(1, 3) as n;
               create table plain as select generate_series(1, 5) as n;
               create table parted (n int) partition by range (n);
               create table part partition of parted for values from (0) to (10); insert into parted values (1), (2);
               create temporary table passing (n int)"""
        )
    return database


def test_what_changes_later_is_not_in_the_snapshot(tables: Database) -> None:
    """F81."""
    with closing(tables.connect()) as ours, closing(tables.connect()) as theirs:
        with exported_snapshot(ours, lock_wait_ms=1000) as snapshot, theirs.cursor() as cursor:
            cursor.execute("insert into plain values (6)")
            counted = count_rows(ours, [(each.schema, each.name) for each in snapshot.tables if each.has_rows])

        assert counted == (
            TableRows('odd "schema', "a.b", 3),
            TableRows("public", "part", 2),
            TableRows("public", "plain", 5),
        )
        assert ours.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE


def test_a_truncate_waits_until_the_dump_is_done(tables: Database) -> None:
    """F80."""
    with closing(tables.connect()) as ours, closing(tables.connect()) as theirs, theirs.cursor() as cursor:
        cursor.execute("set lock_timeout = '100ms'")
        with exported_snapshot(ours, lock_wait_ms=1000), pytest.raises(psycopg2.errors.LockNotAvailable):
            cursor.execute("truncate plain")

        cursor.execute("truncate plain")


def test_the_session_that_holds_a_table_is_named(tables: Database) -> None:
    """F79."""
    with closing(tables.connect()) as ours, closing(tables.connect()) as theirs, theirs.cursor() as cursor:
        cursor.execute("set application_name = 'night job'")
        cursor.execute("begin; lock table plain in access exclusive mode")

        with pytest.raises(ToolError) as raised, exported_snapshot(ours, lock_wait_ms=100):
            pass
        pid = theirs.info.backend_pid

    assert f"plain is held by pid {pid}, postgres, night job" in raised.value.message
    assert raised.value.exit_code == 5


def test_what_the_role_may_not_read_is_listed_before_anything_is_dumped(tables: Database) -> None:
    """F82."""
    role = f"role_{tables.name}"
    with closing(tables.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"create role {role}; set role {role}")

        with pytest.raises(DatabaseError) as raised, exported_snapshot(connection, lock_wait_ms=100):
            pass

    tables.server.execute(f"drop role {role}")
    assert 'may not read odd "schema.a.b, public.part, public.parted, public.plain' in raised.value.message


def test_an_idle_snapshot_outlives_the_sessions_own_limit(tables: Database) -> None:
    with closing(tables.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("set idle_in_transaction_session_timeout = '50ms'")
        with exported_snapshot(connection, lock_wait_ms=100):
            cursor.execute("show idle_in_transaction_session_timeout")

            assert cursor.fetchone() == ("0",)
