"""`mark`: which environment the database says it is, and who writes that."""

from __future__ import annotations

import sys

import pexpect
import pytest

from tests.commands.support import HEAD, answer, current, database_of, query, set_mark
from tests.servers import Project


def mark_of(project: Project) -> list[tuple[str]]:
    """The mark in the database; nothing without our schema."""
    if not query(project, "select 1 where to_regclass('stillroom.mark') is not null"):
        return []
    return [(row[0],) for row in query(project, "select environment from stillroom.mark")]


@pytest.mark.parametrize(
    ("app_env", "mark"),
    [
        ("development", "development"),
        ("ci", "test"),
        ("production", None),
        ("staging", None),
        ("", None),
        ("nonsense", None),
    ],
)
def test_the_first_migrate_of_an_empty_database_marks_it_under_a_safe_app_env_only(
    project_on_database: Project, app_env: str, mark: str | None
) -> None:
    done = project_on_database.invoke("migrate", env={"APP_ENV": app_env})

    assert done.code == 0, done.stderr
    assert mark_of(project_on_database) == ([(mark,)] if mark else [])
    assert ("it was empty, and APP_ENV says so" in done.stderr) == bool(mark)


@pytest.mark.parametrize(
    "there",
    ["create table theirs ()", "create view theirs as select 1", "create table alembic_version (version_num text)"],
)
def test_a_database_with_something_in_it_is_not_marked(project_on_database: Project, there: str) -> None:
    query(project_on_database, there)

    project_on_database.invoke("migrate", env={"APP_ENV": "development"})

    assert mark_of(project_on_database) == []


def test_a_role_that_may_not_create_schemas_is_told_and_migrate_goes_on(project_on_database: Project) -> None:
    database = database_of(project_on_database)
    role = f"plain_{database.name}"
    query(project_on_database, f"create role {role} login")
    query(project_on_database, f"grant create on schema public to {role}")
    env = {"DATABASE_URL": database.url.replace("postgres@", f"{role}@"), "APP_ENV": "development"}

    done = project_on_database.invoke("migrate", env=env)
    by_hand = project_on_database.invoke("mark", "--environment", "development", env=env)

    assert done.code == 0, done.stderr
    assert (
        f"note:  {database.name} was not marked: {role} may not create a schema; it counts as unknown, which protects it"
        in done.stderr
    )
    assert current(project_on_database) == [HEAD]
    assert by_hand.code == 4
    assert f'GRANT CREATE ON DATABASE "{database.name}" TO "{role}";' in by_hand.stderr
    database.drop()
    database.server.execute(f"drop role {role}")


def test_it_is_shown_without_a_flag(migrated: Project) -> None:
    done = migrated.invoke("mark")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.endswith(": marked development; not protected: it is marked development\n")


def test_it_is_changed_and_twice_is_the_same_as_once(migrated: Project) -> None:
    first = migrated.invoke("mark", "--environment", "test", env={"APP_ENV": "test"})
    second = migrated.invoke("mark", "--environment", "test", env={"APP_ENV": "test"})

    assert first.stdout.endswith(": marked test (was development); not protected: it is marked test\n")
    assert second.stdout.endswith(": marked test; not protected: it is marked test\n")
    assert mark_of(migrated) == [("test",)]


def test_marking_an_unknown_database_makes_reset_possible(project_on_database: Project) -> None:
    project_on_database.invoke("migrate")
    refused = project_on_database.invoke("reset-dev", "--yes")

    project_on_database.invoke("mark", "--environment", "development")
    done = project_on_database.invoke("reset-dev", "--yes")

    assert refused.code == 3
    assert done.code == 0, done.stderr


def test_an_environment_that_does_not_exist_is_refused(migrated: Project) -> None:
    done = migrated.invoke("mark", "--environment", "live")

    assert done.code == 2
    assert (
        done.stderr
        == "error: there is no environment named 'live'\nhint:  one of: development, test, staging, production\n"
    )


def test_production_is_not_taken_away_without_a_terminal(migrated: Project) -> None:
    """S30."""
    set_mark(migrated, "production")

    done = migrated.invoke("mark", "--environment", "development")

    assert done.code == 3
    assert "taking that away needs its name typed on a terminal" in done.stderr
    assert mark_of(migrated) == [("production",)]


@pytest.mark.parametrize("types_its_name", [True, False], ids=["its name", "yes"])
def test_production_is_taken_away_by_typing_the_name(migrated: Project, types_its_name: bool) -> None:
    """S30."""
    set_mark(migrated, "production")
    name = database_of(migrated).name
    args = ["-m", "invoke", "mark", "--environment", "development"]
    child = pexpect.spawn(
        sys.executable, args, cwd=str(migrated.path), env=migrated.full_environment(), encoding="utf-8", timeout=20
    )

    child.expect(f"{name} is marked production. Type its name to mark it development: ")
    child.sendline(name if types_its_name else "yes")
    child.read()
    child.close()

    assert child.exitstatus == (0 if types_its_name else 3)
    assert mark_of(migrated) == [("development" if types_its_name else "production",)]


def test_a_mark_that_may_not_be_read_protects(migrated: Project) -> None:
    """S30."""
    database = database_of(migrated)
    role = f"plain_{database.name}"
    query(migrated, f"create role {role} login")
    query(migrated, f"grant select on alembic_version to {role}")
    query(migrated, "revoke select on stillroom.mark from public")

    done = migrated.invoke("mark", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    assert done.code == 0, done.stderr
    assert "; protected: it is marked unknown" in done.stdout
    database.drop()
    database.server.execute(f"drop role {role}")


def test_a_dry_run_writes_nothing(migrated: Project) -> None:
    done = migrated.invoke("--dry", "mark", "--environment", "test")

    assert done.code == 0
    assert mark_of(migrated) == [("development",)]


def test_the_json_of_a_mark_and_a_refusal(migrated: Project) -> None:
    shown = answer(migrated.invoke("mark", "--json").stdout)
    refused = answer(migrated.invoke("mark", "--json", "--environment", "live").stdout)

    assert (shown["result"]["mark"], shown["result"]["before"], shown["result"]["is_protected"]) == (
        "development",
        "development",
        False,
    )
    assert (refused["error"]["kind"], refused["error"]["exit_code"]) == ("settings", 2)
