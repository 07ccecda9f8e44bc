"""What others do to the tables while a backup is made: they wait, or the backup fails; it is never short."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from stillroom.core.manifest import read_manifest
from tests.commands.backing import folder, make_backup, names, tools_instead
from tests.commands.support import database_of, finish, in_transaction, launch, query, until
from tests.faults.intact import remember
from tests.servers import Project

ROWS = 2000
TABLE = f"create table shelf as select n, md5(n::text) as text from generate_series(1, {ROWS}) n"
LARGE = "create table a_large as select n, repeat(md5(n::text), 8) as text from generate_series(1, 150000) n"
STATEMENTS = [
    "truncate shelf",
    "drop table shelf",
    "alter table shelf drop column text",
    "alter table shelf rename to board",
    "begin; lock table shelf in access exclusive mode; commit",
    "create index on shelf (n)",
    "create table newer as select 1 as n",
    "delete from shelf",
]
HARMLESS = ("create", "delete")


def rows_in(project: Project, name: str) -> dict[str, int]:
    """How many rows a backup has of the tables that were changed or made."""
    rows = read_manifest((folder(project) / name / "manifest.json").read_text()).rows
    return {each.name: each.rows for each in rows if each.name in {"shelf", "board", "newer"}}


def await_copy(project: Project, process: subprocess.Popen[str]) -> None:
    """Wait until pg_dump reads the large table, which comes first."""
    with closing(database_of(project).connect()) as connection, connection.cursor() as cursor:
        while True:
            cursor.execute(
                "select from pg_stat_activity where state = 'active' and query like 'COPY public.a_large %' and datname = current_database()"
            )
            if cursor.fetchone() is not None:
                return
            assert process.poll() is None, finish(process)
            time.sleep(0.005)


@pytest.fixture
def shelf(migrated: Project) -> Project:
    """A project with a table of some rows, and an older backup of them."""
    query(migrated, TABLE)
    make_backup(migrated, "--verify", "read")
    return migrated


@contextmanager
def held_up(project: Project) -> Iterator[Path]:
    """Hold pg_dump up before it begins: the tables are locked and the snapshot is taken; the path lets it go on."""
    marker, goes_on = project.path.parent / "started", project.path.parent / "goes-on"
    tools_instead(project, dump=f'touch "{marker}"; while [ ! -e "{goes_on}" ]; do sleep 0.05; done')
    yield goes_on
    tools_instead(project)


class Other:
    """A session that runs one statement, which may have to wait."""

    def __init__(self, project: Project, statement: str) -> None:
        self.connection = database_of(project).connect()
        self.statement, self.error = statement, ""
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            with closing(self.connection), self.connection.cursor() as cursor:
                cursor.execute(self.statement)
        except psycopg2.Error as error:
            self.error = str(error)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_that_comes_while_pg_dump_reads_waits_or_is_not_in_it(shelf: Project, statement: str) -> None:
    """F80: TRUNCATE and DDL on a table that is still to be read."""
    query(shelf, LARGE)
    (older,) = names(shelf)
    process = launch(shelf, "backup", "--verify", "read")
    await_copy(shelf, process)
    other = Other(shelf, statement)
    code, _, stderr = finish(process)
    other.thread.join(20)

    assert code == 0, stderr
    assert other.error == "", "what waited is done afterwards"
    (made,) = set(names(shelf)) - {older}
    assert rows_in(shelf, made) == {"shelf": ROWS}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_that_comes_just_before_pg_dump_is_not_in_it_or_fails_it(shelf: Project, statement: str) -> None:
    """F79, F80: one that waits for our lock keeps pg_dump out, which gives up; it never sees an empty table."""
    before = remember(shelf)
    (older,) = names(shelf)
    with held_up(shelf) as goes_on:
        process = launch(shelf, "backup", "--verify", "read", "--lock-wait-timeout", "0.3")
        until((shelf.path.parent / "started").exists)
        other = Other(shelf, statement)
        other.thread.join(0.3)
        waits = other.thread.is_alive()
        goes_on.touch()
        code, _, stderr = finish(process)
    other.thread.join(20)

    assert waits == (not statement.startswith(HARMLESS))
    assert other.error == ""
    assert "Traceback" not in stderr
    assert code == (5 if waits else 0), stderr
    if waits:
        assert "statement waited for one of the tables, and kept pg_dump out" in stderr
        before.require(is_live=False)
        assert names(shelf) == [older]
    else:
        (made,) = set(names(shelf)) - {older}
        assert rows_in(shelf, made) == {"shelf": ROWS}


def test_a_table_that_is_held_stops_the_backup_before_anything_is_written(shelf: Project) -> None:
    """F79: the session is named; with it gone the next backup is whole."""
    before = remember(shelf)
    with in_transaction(shelf, "lock table shelf in access exclusive mode"):
        done = shelf.invoke("backup", "--lock-wait-timeout", "0.5")

    assert done.code == 5
    assert "shelf is held by pid " in done.stderr
    before.require(makes_another=True, restores=True)


def test_a_table_that_comes_and_goes_all_the_time_is_no_failure(shelf: Project) -> None:
    """F80: a table that was dropped between the list and the lock, or made since, makes it look again."""
    stop = threading.Event()

    def churn() -> None:
        with closing(database_of(shelf).connect()) as connection, connection.cursor() as cursor:
            while not stop.is_set():
                cursor.execute("create table if not exists passing (n int)")
                stop.wait(0.05)
                cursor.execute("drop table passing")
                stop.wait(0.05)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        ended = [shelf.invoke("backup", "--verify", "read", "--lock-wait-timeout", "0.3") for _ in range(2)]
    finally:
        stop.set()
        thread.join()

    assert {each.code for each in ended} <= {0, 5}, ended
    assert all("Traceback" not in each.stderr for each in ended)
    assert len(names(shelf)) == 1 + sum(each.code == 0 for each in ended)
    remember(shelf).require()
