"""`status`: where the database stands to this checkout, read without a lock."""

from __future__ import annotations

import subprocess

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    answer,
    current,
    database_of,
    holding_lock,
    query,
    set_mark,
    write_revision,
)
from tests.servers import Project


def last_line(text: str) -> str:
    """The answer."""
    return text.splitlines()[-1]


def test_at_head(migrated: Project) -> None:
    done = migrated.invoke("status")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1:] == [
        "mark      development; not protected: it is marked development",
        f"current   {HEAD}",
        f"head      {HEAD}",
        "at head, nothing pending",
    ]


def test_an_empty_database(project_on_database: Project) -> None:
    done = project_on_database.invoke("status")

    assert done.code == 0, done.stderr
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("pending")] == [
        INITIAL,
        TIMEZONE,
        HEAD,
    ]
    assert last_line(done.stdout) == "empty, 3 revisions pending: `invoke migrate`"


def test_behind(migrated: Project) -> None:
    migrated.invoke("rollback")

    done = migrated.invoke("status")

    assert last_line(done.stdout) == "behind, 1 revision pending: `invoke migrate`"


def test_foreign(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("status")

    assert done.code == 0
    assert last_line(done.stdout).startswith("foreign: fadedfadedfa has no file here: a newer checkout or ano")


def test_ahead_after_a_git_switch(migrated: Project) -> None:
    """F03: the branch that has the file is named."""
    git(migrated, "init", "-q", "-b", "main")
    git(migrated, "add", "-A")
    git(migrated, "commit", "-q", "-m", "start")
    git(migrated, "switch", "-q", "-c", "feature")
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")
    git(migrated, "add", "-A")
    git(migrated, "commit", "-q", "-m", "a step")
    migrated.invoke("migrate")
    git(migrated, "switch", "-q", "main")

    done = migrated.invoke("status")

    said = last_line(done.stdout)
    assert said.startswith("ahead of this checkout: aaaa00000001, applied by ")
    assert "; branch feature has it, in migrations/alembic/versions/20260201_0000_aaaa00000001_step.py (Ada, " in said
    assert "way out   check it out: `git switch feature`, or the file alone: " in done.stdout


def git(project: Project, *args: str) -> str:
    """Run git in the project, as somebody."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    done = subprocess.run(["git", *who, *args], cwd=project.path, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("change", "code"),
    [("", 0), ("delete from alembic_version", 6), ("update alembic_version set version_num = 'fade'", 6)],
    ids=["head", "pending", "foreign"],
)
def test_the_exit_code_is_the_answer_when_asked(migrated: Project, change: str, code: int) -> None:
    if change:
        query(migrated, change)

    asked, plain = migrated.invoke("status", "--exit-code"), migrated.invoke("status")

    assert (asked.code, plain.code) == (code, 0)


def test_it_needs_no_lock_and_names_who_holds_it(migrated: Project) -> None:
    with holding_lock(migrated, application="a deploy"):
        done = migrated.invoke("status", "--json")

    holders = answer(done.stdout)["result"]["holders"]
    assert (done.code, [each["application"] for each in holders]) == (0, ["a deploy"])


def test_it_changes_nothing(project_on_database: Project) -> None:
    project_on_database.invoke("status")

    assert query(
        project_on_database,
        "select count(*) from pg_class where relnamespace in (select oid from pg_namespace where nspname in ('public', 'stillroom'))",
    ) == [(0,)]


@pytest.mark.parametrize(
    ("mark", "app_env", "line"),
    [
        ("production", "", "production; protected: it is marked production"),
        ("production", "development", "production; protected: it is marked production, and APP_ENV says development"),
        (None, "development", "none; protected: it has no mark, so it is unknown"),
        ("test", "ci", "test; not protected: it is marked test"),
    ],
    ids=["production", "contradicted", "none", "alias"],
)
def test_the_mark_is_shown_with_what_follows(migrated: Project, mark: str | None, app_env: str, line: str) -> None:
    set_mark(migrated, mark)

    done = migrated.invoke("status", env={"APP_ENV": app_env})

    assert done.stdout.splitlines()[1] == f"mark      {line}"


def test_a_version_table_in_another_schema_is_refused(migrated: Project) -> None:
    query(migrated, "create schema app")
    query(migrated, "alter table alembic_version set schema app")

    done = migrated.invoke("status")

    assert done.code == 3
    assert f"{database_of(migrated).name}: the version table alembic_version is in schema app" in done.stderr
    assert "STILLROOM_SEARCH_PATH=app" in done.stderr


def test_the_json_has_every_field(migrated: Project) -> None:
    result = answer(migrated.invoke("status", "--json").stdout)["result"]

    assert (result["place"], result["current"], result["heads"], result["pending"]) == ("head", [HEAD], [HEAD], [])
    assert (result["mark"], result["is_protected"], result["holders"]) == ("development", False, [])
    assert current(migrated) == [HEAD]


def test_a_lost_version_row_is_said(migrated: Project) -> None:
    """F14: such a database is not empty."""
    for lost in ("truncate alembic_version", "drop table alembic_version"):
        query(migrated, lost)

        done = migrated.invoke("status")

        assert done.code == 0, done.stderr
        assert done.stdout.splitlines()[-1] == (
            "no revision is recorded, although tables of the history are there (public.conversations, public.messages, "
            "public.tasks, public.users): `invoke migrate` finds out which revision that is, and `invoke stamp <revision>` records it"
        )
