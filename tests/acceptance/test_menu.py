"""The menu: what `invoke` lists, explains, answers and refuses, and how little it loads for that."""

from __future__ import annotations

import json
import sys

import pytest

from stillroom.tasks import ns
from tests.commands.support import HEAD, current, has_table, query
from tests.servers import Project

TASKS = sorted(name for name in ns.task_names if not name.startswith("dev."))
READING = ["status", "history", "heads", "check", "mark", "config", "doctor"]
HEAVY = {"sqlalchemy", "alembic", "sqlmodel", "pydantic", "psycopg2", "dotenv", "rich"}


def imported(stderr: str) -> set[str]:
    """The top-level packages that `-X importtime` has reported."""
    return {
        line.split("|")[-1].strip().split(".")[0] for line in stderr.splitlines() if line.startswith("import time:")
    }


def test_the_list_names_every_task_with_a_line(project: Project) -> None:
    done = project.invoke("--list")

    assert (done.code, done.stderr) == (0, "")
    listed = [line.split() for line in done.stdout.splitlines() if line.startswith("  ") and not line.startswith("   ")]
    assert {words[0] for words in listed} >= set(TASKS)
    assert all(len(words) > 1 for words in listed)


def test_the_list_loads_nothing_heavy(project: Project) -> None:
    done = project.run(sys.executable, "-X", "importtime", "-m", "invoke", "--list")

    assert imported(done.stderr) & HEAVY == set()
    assert "invoke" in imported(done.stderr)


def test_migrate_with_nothing_to_do_loads_neither_alembic_nor_sqlalchemy(migrated_menu: Project) -> None:
    done = migrated_menu.run(sys.executable, "-X", "importtime", "-m", "invoke", "migrate")

    assert "nothing to do" in done.stdout
    assert imported(done.stderr) & {"sqlalchemy", "alembic", "sqlmodel", "pydantic", "rich", "models"} == set()
    assert "psycopg2" in imported(done.stderr)


@pytest.mark.parametrize("name", TASKS)
def test_help_explains_every_flag(project: Project, name: str) -> None:
    done = project.invoke("--help", name)

    assert done.code == 0, done.stderr
    assert "--json" in done.stdout
    assert "none\n" not in done.stdout.split("Options:")[0]
    options = done.stdout.split("Options:")[1].splitlines()
    flags = [index for index, line in enumerate(options) if line.lstrip().startswith("-")]
    for index in flags:
        explained = options[index].strip().split("  ", 1)[1:] or [options[index + 1].strip()]
        assert explained[0].strip(), options[index]


@pytest.mark.parametrize("name", READING)
def test_json_is_one_object_and_nothing_else(migrated_menu: Project, name: str) -> None:
    done = migrated_menu.invoke(name, "--json")

    found = json.loads(done.stdout)
    assert (found["stillroom"], found["command"], found["ok"]) == (1, name, True)
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [[name] for name in READING if name not in {"config", "heads", "doctor"}]
    + [["migrate"], ["rollback"], ["reset-dev"], ["stamp", "head"]],
    ids=" ".join,
)
def test_json_of_an_error_is_one_object_too(project: Project, args: list[str]) -> None:
    nobody = {"DATABASE_URL": "postgresql://app:geheim@127.0.0.1:1/shop", "STILLROOM_WAIT_S": "0"}
    done = project.invoke(*args, "--json", env=nobody)

    error = json.loads(done.stdout)["error"]
    assert (done.code, error["exit_code"], error["kind"], done.stderr) == (4, 4, "database", "")
    assert error["hint"]
    assert "geheim" not in done.stdout


@pytest.mark.parametrize(
    "args", [[name] for name in READING] + [["migrate"], ["rollback"], ["reset-dev"], ["stamp", "head"]], ids=" ".join
)
def test_settings_that_cannot_be_used_are_exit_2_everywhere(project: Project, args: list[str]) -> None:
    done = project.invoke(*args, "--json", env={"STILLROOM_WAIT_S": "soon"})

    assert done.code == 2
    assert json.loads(done.stdout)["error"]["kind"] == "settings"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("make_migration", "make-migration"),
        ("reset_dev", "reset-dev"),
        ("backup_then_migrate", "backup-then-migrate"),
        ("upgrade", "migrate"),
        ("downgrade", "rollback"),
        ("revision", "make-migration"),
        ("current", "status"),
    ],
)
@pytest.mark.parametrize(
    "before", [[], ["--echo"], ["-r", "."]], ids=["plain", "after a flag", "after a flag with a value"]
)
def test_a_misspelt_task_is_answered(project: Project, typed: str, meant: str, before: list[str]) -> None:
    done = project.invoke(*before, typed)

    assert done.code == 1
    assert done.stderr == f"error: there is no task `{typed}`\nhint:  `invoke {meant}`\n"


@pytest.mark.parametrize(
    ("args", "bare"),
    [
        (["add", "rollback"], "add rollback"),
        (["-m", "add", "rollback"], "add rollback"),
        (["add"], "add"),
        (["--message=add", "status"], "add status"),
    ],
    ids=["no flag", "unquoted", "one word", "equals"],
)
def test_a_message_that_would_run_a_task_is_refused(migrated_menu: Project, args: list[str], bare: str) -> None:
    done = migrated_menu.invoke("make-migration", *args)

    assert done.code == 3
    assert f'`invoke make-migration -m "{bare}"`' in done.stderr
    assert current(migrated_menu) == [HEAD]


@pytest.fixture
def migrated_menu(migrated: Project) -> Project:
    """A migrated project, whose tasks are not told where they are."""
    del migrated.environment["APP_ENV"]
    return migrated


@pytest.mark.parametrize(
    "args",
    [
        ["migrate"],
        ["rollback", "--yes"],
        ["reset-dev", "--yes"],
        ["stamp", "base", "--allow", "unproven"],
        ["mark", "--environment", "production"],
    ],
    ids=" ".join,
)
def test_dry_touches_nothing(migrated_menu: Project, args: list[str]) -> None:
    query(migrated_menu, "create table stray ()")

    done = migrated_menu.invoke("--dry", *args)

    assert done.code == 0, done.stderr
    assert done.stderr == f"dry run: `invoke {args[0]}` was not run, nothing was touched\n"
    assert (current(migrated_menu), has_table(migrated_menu, "stray")) == ([HEAD], True)
    assert query(migrated_menu, "select environment from stillroom.mark") == [("development",)]


def test_dry_with_json_is_an_object_without_a_result(migrated_menu: Project) -> None:
    done = migrated_menu.invoke("--dry", "migrate", "--json")

    assert json.loads(done.stdout)["result"] is None


def test_h_is_help_and_no_task_takes_it(project: Project) -> None:
    done = project.invoke("-h", "reset-dev")

    assert done.code == 0
    assert "--kick" in done.stdout


def test_two_tasks_in_one_line_run_one_after_the_other(project_on_database: Project) -> None:
    done = project_on_database.invoke("migrate", "--target", "abc1", "status")

    assert done.code == 0, done.stderr
    assert done.stdout.endswith("behind, 1 revision pending: `invoke migrate`\n")


def test_outside_of_a_project_it_is_said(project: Project) -> None:
    (project.path / "alembic.ini").unlink()

    done = project.invoke("status")

    assert done.code == 2
    assert done.stderr.startswith("error: no alembic.ini in ")


@pytest.mark.parametrize("name", ["stamp", "restore"])
def test_help_is_shown_behind_a_task_that_takes_a_word(project: Project, name: str) -> None:
    shown = project.invoke(name, "--help")

    assert shown.code == 0
    assert f"[--core-opts] {name} " in shown.stdout
