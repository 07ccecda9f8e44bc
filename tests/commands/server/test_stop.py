"""`invoke server.stop` on the real programs."""

from __future__ import annotations

import json

from tests.servers import Project


def test_stop_ends_the_server_and_its_data_stays(project: Project) -> None:
    project.invoke("server.start")
    project.invoke("server.psql", input="create table kept as select 42 as answer;")

    done = project.invoke("server.stop")

    assert done.code == 0
    assert done.stdout.startswith("embedded server: stopped; its data stays in /")
    assert "42" in project.invoke("server.psql", input="select answer from kept;").stdout


def test_stop_twice_is_the_same_as_once(project: Project) -> None:
    project.invoke("server.start")
    project.invoke("server.stop")

    done = project.invoke("server.stop")

    assert done.code == 0
    assert done.stdout == "embedded server: not running, nothing to do\n"


def test_stop_where_no_server_ever_was_makes_nothing(project: Project) -> None:
    done = project.invoke("server.stop", "--json")

    assert json.loads(done.stdout)["result"]["was_running"] is False
    assert not (project.path / ".stillroom").exists()
