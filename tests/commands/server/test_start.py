"""`invoke server.start` on the real programs."""

from __future__ import annotations

import json

from tests.servers import Project


def test_start_makes_and_starts_the_server_and_says_where_its_data_lies(project: Project) -> None:
    done = project.invoke("server.start")

    lines = done.stdout.splitlines()
    assert done.code == 0
    assert lines[0].startswith("data:    /")
    assert lines[0].endswith("data (PostgreSQL 18)")
    assert lines[-1].startswith("embedded server: PostgreSQL 18.")
    assert " started, pid " in lines[-1]
    assert "making a PostgreSQL 18." in done.stderr


def test_start_twice_is_the_same_as_once(project: Project) -> None:
    first = project.invoke("server.start", "--json")

    second = project.invoke("server.start", "--json")

    answers = [json.loads(each.stdout)["result"] for each in (first, second)]
    assert [each["how"] for each in answers] == ["started", "attached"]
    assert answers[0]["state"]["pid"] == answers[1]["state"]["pid"]
    assert second.stderr == ""


def test_start_with_another_database_url_still_means_the_embedded_server_and_says_so(project: Project) -> None:
    done = project.invoke("server.start", env={"DATABASE_URL": "postgresql://me:geheim@example.invalid/shop"})

    assert done.code == 0
    assert "note:    DATABASE_URL is set: the tasks use shop on example.invalid as me, not this server" in done.stdout
    assert "geheim" not in done.stdout + done.stderr


def test_start_on_another_majors_data_ends_with_2_and_both_majors(project: Project) -> None:
    state = json.loads(project.invoke("server.start", "--json").stdout)["result"]["state"]
    project.invoke("server.stop")
    with open(f"{state['data']}/PG_VERSION", "w", encoding="utf-8") as version:  # noqa: PTH123
        version.write("16\n")

    done = project.invoke("server.start")

    assert done.code == 2
    assert done.stdout == ""
    assert "was made by PostgreSQL 16, and the programs here are PostgreSQL 18." in done.stderr
    assert "\nhint:  to keep the data" in done.stderr


def test_start_with_a_wrong_folder_of_programs_ends_with_2(project: Project) -> None:
    done = project.invoke("server.start", env={"STILLROOM_PG_BIN": str(project.path)})

    assert done.code == 2
    assert "holds no `postgres` and `initdb`" in done.stderr


def test_a_dry_run_starts_nothing(project: Project) -> None:
    done = project.invoke("--dry", "server.start")

    assert done.code == 0
    assert not (project.path / ".stillroom").exists()
