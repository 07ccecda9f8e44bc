"""`invoke make-migration` without a terminal, on a real database."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
from pathlib import Path

import pytest

from tests.commands.revisions import add_model, bring_to_head, columns, drafts, edit_model, files, newest
from tests.servers import Project

NAME = re.compile(r"^\d{8}_\d{4}_[0-9a-f]{12}_\w+\.py$")


@pytest.fixture
def at_head(project_on_database: Project) -> Project:
    bring_to_head(project_on_database)
    return project_on_database


def test_nothing_changed_makes_no_file_and_says_so(at_head: Project) -> None:
    before = files(at_head)

    done = at_head.invoke("make-migration", "-m", "nothing")

    assert done.code == 0
    assert done.stdout.endswith("the models and the database agree, no revision was made\n")
    assert (files(at_head), drafts(at_head)) == (before, [])


def test_a_new_table_becomes_a_revision_that_is_marked_as_unreviewed(at_head: Project) -> None:
    before = files(at_head)
    add_model(at_head)

    done = at_head.invoke("make-migration", "-m", "Add notes")

    (made,) = set(files(at_head)) - set(before)
    assert done.code == 0
    assert NAME.match(made.name)
    assert made.name.endswith("_add_notes.py")
    assert made.read_text().splitlines()[:2] == ["# stillroom: unreviewed", '"""Add notes']
    assert done.stdout.splitlines()[-1] == f"git add migrations/alembic/versions/{made.name}"
    assert drafts(at_head) == []


def test_a_made_revision_goes_up_and_down_and_leaves_nothing_to_do(at_head: Project) -> None:
    add_model(at_head)
    at_head.invoke("make-migration")

    up = at_head.invoke("migrate")
    again = at_head.invoke("make-migration")
    there = columns(at_head, "notes")
    down = at_head.alembic("downgrade", "-1")

    assert (up.code, again.code, down.code) == (0, 0, 0), up.stderr + again.stderr + down.stderr
    assert "no revision was made" in again.stdout
    assert there == ["body", "id"]
    assert columns(at_head, "notes") == []


def test_without_a_message_the_name_is_made_of_the_operations(at_head: Project) -> None:
    edit_model(
        at_head,
        "users",
        "    timezone: str",
        "    nickname: str | None = Field(default=None, max_length=40)\n    timezone: str",
    )

    done = at_head.invoke("make-migration")

    assert done.code == 0
    assert newest(at_head).name.endswith("_add_users_nickname.py")


def test_json_holds_path_revision_operations_and_whether_somebody_read_it(at_head: Project) -> None:
    add_model(at_head)

    done = at_head.invoke("make-migration", "-m", "Add notes", "--json")

    answer = json.loads(done.stdout)
    result = answer["result"]
    assert (answer["stillroom"], answer["command"], answer["ok"]) == (1, "make-migration", True)
    assert (at_head.path / result["path"]) == newest(at_head)
    assert result["revision"] in result["path"]
    assert [each["kind"] for each in result["operations"]] == ["create_table"]
    assert (result["unreviewed"], result["outcome"]) == (True, "made")


def test_json_of_nothing_changed(at_head: Project) -> None:
    result = json.loads(at_head.invoke("make-migration", "--json").stdout)["result"]

    assert result["outcome"] == "unchanged"
    assert result["revision"] == "7d20e85f6b13"


def test_models_that_print_do_not_disturb_the_json(at_head: Project) -> None:
    add_model(at_head, "print('hello from the models')\n", name="chatty")

    done = at_head.invoke("make-migration", "--json")

    assert json.loads(done.stdout)["ok"] is True
    assert "hello from the models" in done.stderr


def test_empty_writes_an_empty_revision_though_nothing_changed(at_head: Project) -> None:
    done = at_head.invoke("make-migration", "-m", "carry data over", "--empty")

    text = newest(at_head).read_text()
    assert done.code == 0
    assert text.count("    pass") == 2
    assert "down_revision: str | Sequence[str] | None = '7d20e85f6b13'" in text


def test_a_dry_run_touches_nothing(at_head: Project) -> None:
    before = files(at_head)
    add_model(at_head)

    done = at_head.invoke("--dry", "make-migration", "-m", "Add notes")

    assert done.code == 0
    assert files(at_head) == before
    assert not (at_head.path / ".stillroom").exists()


@pytest.mark.parametrize(
    "message",
    ['a"""\nimport os;os.system("touch pwned")\n"""', "$(touch pwned); `touch pwned` \\", "\x1b[31mred" + "é" * 300],
    ids=["docstring", "shell", "control and length"],
)
def test_any_message_stays_text(message: str, at_head: Project) -> None:
    done = at_head.invoke("make-migration", "--empty", "-m", message)
    history = at_head.alembic("history")

    tree = ast.parse(newest(at_head).read_text())
    assert (done.code, history.code) == (0, 0), done.stderr + history.stderr
    assert len([node for node in tree.body if isinstance(node, ast.Expr)]) == 1
    assert not (at_head.path / "pwned").exists()
    assert "\x1b" not in (ast.get_docstring(tree) or "\x1b")


def test_plain_alembic_revision_renders_alike_and_keeps_the_message_text(at_head: Project) -> None:
    add_model(at_head)

    done = at_head.alembic("revision", "--autogenerate", "-m", 'a"""\nimport os;os.system("touch pwned")\n"""')
    up = at_head.alembic("upgrade", "head")

    text = newest(at_head).read_text()
    assert (done.code, up.code) == (0, 0), done.stderr + up.stderr
    assert "sa.String(length=500)" in text
    assert "sqlmodel" not in text
    assert not (at_head.path / "pwned").exists()


def test_it_works_from_a_folder_below_and_names_the_file_from_there(at_head: Project) -> None:
    add_model(at_head)

    done = at_head.run(
        "sh",
        "-c",
        "cd src && python -m invoke make-migration -m notes",
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )

    assert done.code == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("git add ../migrations/alembic/versions/")


def test_a_post_write_hook_of_the_project_formats_the_file(at_head: Project) -> None:
    ini = at_head.path / "alembic.ini"
    options = "-c \"import sys;p=sys.argv[1];t=open(p).read();open(p,'w').write(t+chr(35)+' formatted')\" REVISION_SCRIPT_FILENAME"
    hook = f"\n[post_write_hooks]\nhooks = own\nown.type = exec\nown.executable = {sys.executable}\nown.options = {options}\n"
    ini.write_text(ini.read_text() + hook)

    done = at_head.invoke("make-migration", "--empty", "-m", "formatted")

    assert done.code == 0, done.stderr
    assert newest(at_head).read_text().endswith("# formatted")
