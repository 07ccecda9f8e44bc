"""`heads`: where the history ends, read from files alone."""

from __future__ import annotations

import pytest

from tests.commands.heads.branches import LEFT, RIGHT, begin, commit, git
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


def test_two_heads_come_with_both_chains_and_the_way_to_join_them(project_without_server: Project) -> None:
    """Each revision with its date (the file's, else git's) and git's author; the same for people and programs."""
    project = project_without_server
    begin(project)
    left = write_revision(project, LEFT, "pass")
    dated = project.path / left
    dated.write_text(dated.read_text().replace('a step"""', 'a step\n\nCreate Date: 2026-02-01 10:11:12+00:00\n"""'))
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "left", author="A\x1b[31mda")
    middle = write_revision(project, "bbbb00000000", "pass")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "m", "--date=2026-03-04T05:06:07+02:00", author="Bob")
    right = write_revision(project, RIGHT, "pass", down="bbbb00000000")

    done = project.invoke("heads")
    asked = project.invoke("check", "--heads", "--json")

    lines = done.stdout.splitlines()
    assert (done.code, asked.code) == (0, 6)
    assert lines[:2] == [f"{LEFT}:", f"  {LEFT}  a step  (2026-02-01 10:11, A\\x1b[31mda; {left})"]
    assert lines[2:4] == [f"{RIGHT}:", f"  bbbb00000000  a step  (2026-03-04 03:06, Bob; {middle})"]
    assert lines[4].startswith(f"  {RIGHT}  a step  (20")
    assert lines[4].endswith(f", not committed; {right})")
    assert lines[5] == f"2 heads after {HEAD}: `invoke heads.merge` joins them"
    chains = answer(asked.stdout)["result"]["fork"]["chains"]
    assert [(each["head"], [link["author"] for link in each["links"]]) for each in chains] == [
        (LEFT, ["A\x1b[31mda"]),
        (RIGHT, ["Bob", "not committed"]),
    ]


def test_a_shallow_clone_does_not_name_the_author_of_its_first_commit(project: Project) -> None:
    begin(project)
    for id_ in (LEFT, RIGHT):
        write_revision(project, id_, "pass")
    commit(project, "both")
    folder = project.path.parent / "shallow"
    git(project, "clone", "-q", "--depth", "1", f"file://{project.path}", str(folder))

    lines = Project(folder, project.environment).invoke("check", "--heads").stdout.splitlines()

    assert [each.split(", ")[1].split(";")[0] for each in lines if each.startswith("  ")] == ["a shallow clone"] * 2


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
