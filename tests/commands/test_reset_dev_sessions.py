"""`reset-dev` beside other sessions, on very many tables, and interrupted."""

from __future__ import annotations

import signal
from contextlib import closing

import pytest

from tests.commands.support import (
    HEAD,
    add_user,
    current,
    database_of,
    has_table,
    in_transaction,
    interrupt,
    launch,
    query,
    running,
    until,
    write_revision,
)
from tests.servers import Project, Server

SLOW_DROP = """
create schema aside;
create function aside.slow() returns event_trigger language plpgsql as 'begin perform pg_sleep(8); end';
create event trigger slow on sql_drop execute function aside.slow();
"""
MANY = """
do $$ begin for n in 1..{count} loop
  execute format('create table many_%s (id int generated always as identity primary key, name text not null unique)', n);
  if n % 100 = 0 then commit; end if;
end loop; end $$
"""


def test_an_idle_session_does_not_block_it(migrated: Project) -> None:
    with closing(database_of(migrated).connect()) as idle, idle.cursor() as cursor:
        cursor.execute("select * from users")

        done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr


def test_a_forgotten_transaction_is_named_and_nothing_is_dropped(migrated: Project) -> None:
    add_user(migrated)

    with in_transaction(migrated, "set application_name = 'my psql'; select * from users"):
        done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 4
    assert ", postgres, my psql, idle in transaction for " in done.stderr
    assert "`invoke reset-dev --kick`" in done.stderr
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_kick_ends_the_forgotten_transaction(migrated: Project) -> None:
    with in_transaction(migrated, "select * from users"):
        done = migrated.invoke("reset-dev", "--yes", "--kick")

    assert done.code == 0, done.stderr
    assert "ending pid " in done.stderr
    assert current(migrated) == [HEAD]


def test_kick_leaves_sessions_that_hold_nothing_alone(migrated: Project) -> None:
    with closing(database_of(migrated).connect()) as idle, idle.cursor() as cursor:
        cursor.execute("select * from users")

        migrated.invoke("reset-dev", "--yes", "--kick")
        cursor.execute("select 1")

        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_interrupted_in_the_drop_everything_is_as_before(migrated: Project, number: int) -> None:
    """F105."""
    add_user(migrated)
    query(migrated, SLOW_DROP)
    process = launch(migrated, "reset-dev", "--yes")
    until(lambda: running(migrated, "drop schema"))

    stopped = interrupt(process, number)

    assert (stopped.code, stopped.seconds < 2) == (130, True)
    assert "interrupted; what was under way was rolled back" in stopped.stderr
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_killed_in_a_revision_a_rerun_finishes(migrated: Project) -> None:
    """F105."""
    write_revision(migrated, "aaaa00000001", "op.execute('select pg_sleep(8)')")
    process = launch(migrated, "reset-dev", "--yes")
    until(lambda: running(migrated, "pg_sleep"))
    interrupt(process, signal.SIGKILL)
    until(lambda: not running(migrated, "pg_sleep"), within_s=3)
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert current(migrated) == ["aaaa00000001"]


@pytest.fixture
def many_tables(migrated: Project) -> Project:
    """A database with 2,500 tables, more than one transaction has lock slots for."""
    query(migrated, MANY.format(count=2500))
    return migrated


def test_very_many_tables_are_dropped_in_batches(many_tables: Project, server: Server) -> None:
    """F103."""
    database = database_of(many_tables)
    query(many_tables, "create schema reports")
    query(many_tables, "create view reports.one as select * from public.many_1")

    refused = many_tables.invoke("reset-dev", "--yes", timeout=120)
    kept = query(many_tables, "select count(*) from pg_class where relname like 'many%%' and relkind = 'r'")
    done = many_tables.invoke("reset-dev", "--yes", "--allow", "outside", timeout=120)

    assert refused.code == 3
    assert "view reports.one; nothing was touched" in refused.stderr
    assert kept == [(2500,)]
    assert done.code == 0, done.stderr
    assert current(many_tables) == [HEAD]
    assert not has_table(many_tables, "many_1")
    assert database.server is server


def test_killed_between_two_batches_a_rerun_finishes(many_tables: Project) -> None:
    """F105."""
    process = launch(many_tables, "reset-dev", "--yes")
    until(
        lambda: (
            query(many_tables, "select count(*) < 2500 from pg_class where relname like 'many%%' and relkind = 'r'")
            == [(True,)]
        ),
        within_s=60,
    )
    interrupt(process, signal.SIGKILL)

    done = many_tables.invoke("reset-dev", "--yes", timeout=120)

    assert done.code == 0, done.stderr
    assert current(many_tables) == [HEAD]
    assert not has_table(many_tables, "many_1")
