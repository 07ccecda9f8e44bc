"""The embedded server's life: made, started, shared, killed, stopped. All on the real programs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from stillroom.edges.embedded import EmbeddedServer
from tests.edges.embedded import Actor, open_server, read_answers


def connect(server: EmbeddedServer) -> psycopg2.extensions.connection:
    return psycopg2.connect(host=str(server.socket), port="5432", user="postgres", dbname="todo_chatbot")


def ask(server: EmbeddedServer, question: str) -> object:
    with closing(connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


def wait_until_gone(pid: int) -> None:
    for _ in range(500):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    raise AssertionError(f"{pid} lives on")


def test_start_makes_the_database_and_the_second_start_attaches(actor: Actor) -> None:
    answers = actor.act("start", "start", "state", "stop", "stop", "state")

    assert [each.get("how") for each in answers[:2]] == ["started", "attached"]
    assert answers[2]["is_running"]
    assert answers[2]["version"] == "18.6"
    assert answers[2]["data_major"] == 18
    assert [each["stopped"] for each in answers[3:5]] == [True, False]
    assert not answers[5]["is_running"]


def test_looking_at_a_server_that_was_never_made_makes_nothing(open_folder: Path) -> None:
    server = open_server(open_folder / "home")

    state = server.state()

    assert (state.is_running, state.pid, state.data_major) == (False, None, None)
    assert not server.stop()
    assert list(open_folder.iterdir()) == []


def test_the_server_listens_on_its_socket_only_and_knows_utf8(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()

    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "select upper('äö')") == "ÄÖ"
    assert ask(server, "show timezone") == "UTC"
    assert server.url.libpq() | {"host": ""} == {
        "host": "",
        "port": "5432",
        "user": "postgres",
        "dbname": "todo_chatbot",
    }


def test_folders_of_data_and_socket_are_closed_to_everyone_else(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()

    modes = {folder: folder.stat().st_mode & 0o777 for folder in (server.base, server.data, server.socket)}

    assert set(modes.values()) == {0o700}


def test_eight_processes_at_once_share_one_server(actor: Actor) -> None:
    processes = [actor.spawn("start", "state") for _ in range(8)]

    answers = [read_answers(process) for process in processes]

    assert Counter(each[0]["how"] for each in answers) == {"started": 1, "attached": 7}
    assert len({each[1]["pid"] for each in answers}) == 1


def test_the_server_survives_a_killed_python(actor: Actor) -> None:
    process = actor.spawn("start", "hang")
    assert process.stdout is not None
    process.stdout.readline()

    process.kill()
    process.communicate()

    assert [each.get("how", each.get("stopped")) for each in actor.act("start", "stop")] == ["attached", True]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_server_of_the_tests_dies_with_a_killed_python(actor: Actor) -> None:
    process = Actor(actor.home, actor.user, ("--dies-with-parent",)).spawn("start", "state", "hang")
    assert process.stdout is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    pid = int(lines[1].partition('"pid": ')[2].partition(",")[0])

    process.kill()
    process.communicate()

    wait_until_gone(pid)


def test_a_killed_server_is_started_again_with_its_data_and_with_clients_left_behind(open_folder: Path) -> None:
    server = open_server(open_folder / "home", is_durable=True)
    server.start()
    with closing(connect(server)) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept as select 42 as answer")
        connection.commit()
        pid = server.state().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    assert not server.state().is_running or server.state().pid != pid
    assert server.start() == "started"
    assert ask(server, "select answer from kept") == 42


def test_a_server_killed_under_another_python_is_started_again(actor: Actor) -> None:
    pid = actor.act("start", "state")[1]["pid"]
    os.kill(pid, signal.SIGKILL)

    again = actor.act("start", "state")

    assert again[0]["how"] == "started"
    assert again[1]["pid"] != pid


@pytest.mark.parametrize("what", ["a living program", "a dead number", "a zombie"])
def test_a_pid_file_that_names_something_else_is_no_obstacle(open_folder: Path, what: str) -> None:
    server = open_server(open_folder / "home")
    server.start()
    content = (server.data / "postmaster.pid").read_text()
    server.stop()
    child = subprocess.Popen(["sleep", "60" if what == "a living program" else "0"])
    try:
        if what == "a dead number":
            child.wait()
        elif what == "a zombie":
            wait_until_gone(child.pid)
        lines = [str(child.pid), *content.splitlines()[1:]]
        (server.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        os.chown(server.data / "postmaster.pid", server.data.stat().st_uid, server.data.stat().st_gid)

        was_running = server.state().pid is not None or server.stop()
        how = server.start()

        assert not was_running
        assert how == "started"
        assert child.poll() is None or what != "a living program"
    finally:
        child.kill()
        child.wait()


def test_a_database_that_was_dropped_is_made_again(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()
    with closing(psycopg2.connect(host=str(server.socket), port="5432", user="postgres", dbname="postgres")) as other:
        other.autocommit = True
        with other.cursor() as cursor:
            cursor.execute("drop database todo_chatbot")

    how = server.start()

    assert how == "attached"
    assert ask(server, "select current_database()") == "todo_chatbot"


def test_a_project_that_was_moved_takes_its_server_along(actor: Actor) -> None:
    actor.act("start", "stop")
    moved = actor.home.parent.with_name("moved")
    actor.home.parent.rename(moved)

    answers = Actor(moved / "home", actor.user).act("start", "state")

    assert answers[0]["how"] == "started"
    assert answers[1]["data"] == str(moved / "home" / "data")


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_each_way_to_stop_stops(open_folder: Path, mode: str) -> None:
    server = open_server(open_folder / "home")
    server.start()

    stopped = server.stop(mode=mode)  # type: ignore[arg-type]

    assert stopped
    assert server.state().pid is None
