"""`heads`: where the history ends, read from files alone."""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, answer, write_revision
from tests.servers import Project


@pytest.fixture
def project_without_server(project: Project) -> Project:
    """A project whose server cannot be reached."""
    project.environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    return project


def test_one_head_with_its_message_and_file(project_without_server: Project) -> None:
    done = project_without_server.invoke("heads")

    assert (done.code, done.stderr) == (0, "")
    assert (
        done.stdout
        == f"{HEAD}  index open tasks by due date  (migrations/alembic/versions/20260114_0905_{HEAD}_index_open_tasks_by_due_date.py)\n"
    )


def test_two_heads_come_with_the_way_to_join_them(project_without_server: Project) -> None:
    for id_ in ("aaaa00000001", "bbbb00000001"):
        write_revision(project_without_server, id_, "pass")

    done = project_without_server.invoke("heads")

    assert done.code == 0
    assert done.stdout.splitlines()[-1].startswith("2 heads: `")


def test_no_revisions(project_without_server: Project) -> None:
    for file in (project_without_server.path / "migrations/alembic/versions").glob("*.py"):
        file.unlink()

    done = project_without_server.invoke("heads")

    assert (done.code, done.stdout) == (0, "no revisions yet: `invoke make-migration`\n")


def test_the_json(project_without_server: Project) -> None:
    result = answer(project_without_server.invoke("heads", "--json").stdout)["result"]

    assert [(each["id"], each["down"]) for each in result["heads"]] == [(HEAD, ["abc123def456"])]


def test_a_duplicate_id_names_both_files(project_without_server: Project) -> None:
    path = write_revision(project_without_server, HEAD, "pass", down=None)

    done = project_without_server.invoke("heads")

    assert done.code == 3
    assert f"revision {HEAD} is in two files: " in done.stderr
    assert path in done.stderr
