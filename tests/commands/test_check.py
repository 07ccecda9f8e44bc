"""`check`: do models and database agree?"""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, answer, holding_lock, query, set_mark, write_revision
from tests.servers import Project


def edit_model(project: Project) -> None:
    """Give users a column that no revision makes."""
    file = project.path / "src/models/users.py"
    file.write_text(
        file.read_text().replace(
            "    created_at:", "    nick: str | None = Field(default=None, max_length=40)\n    created_at:"
        )
    )


def test_they_agree(migrated: Project) -> None:
    done = migrated.invoke("check")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.endswith(": models and database agree\n")


def test_a_column_that_no_revision_makes_is_a_difference(migrated: Project) -> None:
    edit_model(migrated)

    done = migrated.invoke("check")

    assert done.code == 6
    assert done.stdout.splitlines()[:2] == ["to match the models, the database needs:", "  add_column users.nick"]
    assert done.stdout.endswith("1 difference; `invoke make-migration` writes them down\n")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("drop index ix_tasks_open_due_at", "create_index ix_tasks_open_due_at on tasks"),
        ("alter table users drop column timezone", "add_column users.timezone"),
        ("alter table users alter timezone type varchar(10)", "alter_column users.timezone"),
        ("create table theirs ()", "drop_table theirs"),
    ],
    ids=["index", "column", "type", "table"],
)
def test_what_was_changed_by_hand_is_a_difference(migrated: Project, change: str, line: str) -> None:
    query(migrated, change)

    done = migrated.invoke("check")

    assert done.code == 6
    assert f"  {line}" in done.stdout.splitlines()


def test_partitions_extensions_and_our_own_tables_are_none(migrated: Project) -> None:
    query(migrated, "create extension pg_stat_statements")
    set_mark(migrated, "test")

    done = migrated.invoke("check", env={"APP_ENV": "test"})

    assert done.code == 0, done.stdout


def test_pending_revisions_are_the_answer_no(migrated: Project) -> None:
    migrated.invoke("rollback")

    done = migrated.invoke("check")

    assert done.code == 6
    assert f"1 revision is pending: {HEAD}" in done.stderr
    assert "`invoke migrate` first" in done.stderr


def test_models_without_tables_are_refused(migrated: Project) -> None:
    (migrated.path / "src/models/__init__.py").write_text("from sqlmodel import SQLModel\n")

    done = migrated.invoke("check")

    assert done.code == 3
    assert "the models have no tables" in done.stderr


def test_models_that_print_do_not_disturb_the_json(migrated: Project) -> None:
    file = migrated.path / "src/models/__init__.py"
    file.write_text(file.read_text() + "\nprint('models are loaded')\n")

    done = migrated.invoke("check", "--json")

    assert answer(done.stdout)["ok"] is True
    assert "models are loaded" in done.stderr


def test_it_needs_no_lock_and_changes_nothing(migrated: Project) -> None:
    with holding_lock(migrated):
        done = migrated.invoke("check")

    assert done.code == 0, done.stderr


def test_an_unknown_current_revision_is_refused(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("check")

    assert done.code == 3


def test_heads_need_no_database(project: Project) -> None:
    project.environment["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/nothing"
    one = project.invoke("check", "--heads")
    for id_ in ("aaaa00000001", "bbbb00000001"):
        write_revision(project, id_, "pass")

    two = project.invoke("check", "--heads")

    assert (one.code, one.stdout) == (0, f"one head: {HEAD}\n")
    assert two.code == 6
    assert two.stdout.endswith(f"2 heads after {HEAD}: `invoke heads.merge` joins them\n")


def test_the_json_of_each_answer(migrated: Project) -> None:
    agreed = answer(migrated.invoke("check", "--json").stdout)
    edit_model(migrated)
    differs = answer(migrated.invoke("check", "--json").stdout)
    migrated.invoke("rollback")
    pending = answer(migrated.invoke("check", "--json").stdout)

    assert (agreed["ok"], agreed["result"]["differences"]) == (True, [])
    assert (differs["ok"], [each["kind"] for each in differs["result"]["differences"]]) == (False, ["add_column"])
    assert (pending["ok"], pending["error"]["kind"], pending["error"]["exit_code"]) == (False, "no", 6)
