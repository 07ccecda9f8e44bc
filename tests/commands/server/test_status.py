"""`invoke server.status` on the real programs."""

from __future__ import annotations

import json

from tests.servers import Project


def test_status_before_the_first_start_makes_nothing(project: Project) -> None:
    done = project.invoke("server.status")

    assert done.code == 0
    assert "data (not made yet)" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(
        "embedded server: not running; `invoke server.start` starts PostgreSQL 18."
    )
    assert not (project.path / ".stillroom").exists()


def test_status_of_a_running_server_names_its_pid_and_folders(project: Project) -> None:
    project.invoke("server.start")

    done = project.invoke("server.status", "--json")

    state = json.loads(done.stdout)["result"]["state"]
    assert state["is_running"]
    assert isinstance(state["pid"], int)
    assert state["version"].startswith("18.")
    assert state["data_major"] == 18
    assert set(state) == {
        "is_running", "pid", "version", "data", "data_major", "socket", "log", "runs_as", "note",
    }  # fmt: skip


def test_status_after_a_stop_says_that_it_does_not_run(project: Project) -> None:
    project.invoke("server.start")
    project.invoke("server.stop")

    done = project.invoke("server.status")

    assert "data (PostgreSQL 18)" in done.stdout
    assert "embedded server: not running" in done.stdout
