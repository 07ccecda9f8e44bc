"""The project's source document: each of its commands, in its order and places, and each of its troubleshooting cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.support import HEAD, current, database_of, has_table, query, set_mark, write_revision
from tests.servers import Database, Project, copy_project, discard_home

NAME = re.compile(r"\d{8}_\d{4}_[0-9a-f]{12}_[a-z0-9_]+\.py")
DEEP = "phase-5/services/chat-api"


@pytest.fixture
def service(tmp_path: Path, database: Database) -> Iterator[Project]:
    """The project deep in a larger repository, without a revision yet, its DATABASE_URL exported."""
    project = copy_project(tmp_path / "repository" / DEEP)
    for file in versions(project):
        file.unlink()
    project.database = database
    project.environment |= {"DATABASE_URL": database.url, "APP_ENV": "development"}
    yield project
    discard_home(project.path / ".stillroom" / "postgres")


def versions(project: Project) -> list[Path]:
    """The revision files, oldest first; within one minute their names do not tell."""
    files = (project.path / "migrations/alembic/versions").glob("*.py")
    return sorted(files, key=lambda file: file.stat().st_mtime_ns)


def must(project: Project, *command: str) -> str:
    """Run a line of the document; it must work."""
    done = project.alembic(*command[1:]) if command[0] == "alembic" else project.invoke(*command[1:])
    assert done.code == 0, done.stdout + done.stderr
    return done.stdout


def edit_models(project: Project) -> None:
    """Step 1 of "Making Schema Changes"."""
    file = project.path / "src/models/users.py"
    file.write_text(
        file.read_text().replace(
            "    created_at:", "    nick: str | None = Field(default=None, max_length=40)\n    created_at:"
        )
    )


def test_the_alembic_lines_from_the_first_revision_to_the_last_rollback(service: Project) -> None:
    must(service, "alembic", "revision", "--autogenerate", "-m", "Initial schema")
    must(service, "alembic", "upgrade", "head")
    edit_models(service)
    must(service, "alembic", "revision", "--autogenerate", "-m", "Add column nick to users")
    must(service, "alembic", "upgrade", "head")
    after_upgrade = current(service)
    must(service, "alembic", "downgrade", "-1")
    shown, listed = must(service, "alembic", "current"), must(service, "alembic", "history")

    files = versions(service)
    assert len(files) == 2
    assert all(NAME.fullmatch(file.name) for file in files)
    assert files[0].name.endswith("_initial_schema.py")
    assert files[1].name.endswith("_add_column_nick_to_users.py")
    ids = [file.name.split("_")[2] for file in files]
    assert (after_upgrade, current(service)) == ([ids[1]], [ids[0]])
    assert ids[0] in shown
    assert all(each in listed for each in ids)


def test_the_same_with_the_tasks(service: Project) -> None:
    must(service, "invoke", "make-migration", "-m", "Initial schema")
    must(service, "invoke", "migrate")
    edit_models(service)
    must(service, "invoke", "make-migration", "-m", "Add column nick to users")
    must(service, "invoke", "migrate")
    must(service, "invoke", "rollback")
    status, history = must(service, "invoke", "status"), must(service, "invoke", "history")

    assert [NAME.fullmatch(file.name) is not None for file in versions(service)] == [True, True]
    assert status.endswith("behind, 1 revision pending: `invoke migrate`\n")
    assert history.endswith("1 of 2 revisions applied\n")


def test_the_tasks_work_from_the_repositorys_root_with_r_and_from_a_folder_inside(
    service: Project, tmp_path: Path
) -> None:
    must(service, "invoke", "make-migration", "-m", "Initial schema")
    outside = Project(tmp_path / "repository", service.environment, service.database)
    inside = Project(service.path / "src" / "models", service.environment, service.database)

    migrated = outside.invoke("-r", DEEP, "migrate")
    status = inside.invoke("status")

    assert migrated.code == 0, migrated.stderr
    assert status.stdout.endswith("at head, nothing pending\n")
    assert has_table(service, "users")


def test_the_database_url_overrides_the_one_of_alembic_ini(service: Project) -> None:
    ini = service.path / "alembic.ini"
    ini.write_text(
        ini.read_text().replace(
            "[alembic]\n", "[alembic]\nsqlalchemy.url = postgresql://postgres:postgres@localhost:1/todo_chatbot\n"
        )
    )

    must(service, "alembic", "current")
    from_ini = service.invoke("status", env={"DATABASE_URL": ""})

    assert from_ini.code != 0
    del service.environment["DATABASE_URL"]
    assert "localhost:1" in service.invoke("status").stderr


def test_target_database_is_not_up_to_date(project_on_database: Project) -> None:
    project_on_database.invoke("migrate", "--target", "abc123def456")

    refused = project_on_database.alembic("revision", "--autogenerate", "-m", "more")
    answered = project_on_database.invoke("status")
    must(project_on_database, "invoke", "migrate")

    assert "Target database is not up to date" in refused.stdout + refused.stderr
    assert f"pending   {HEAD}" in answered.stdout
    assert "`invoke migrate`" in answered.stdout


def test_migrations_out_of_sync_are_stamped(project_on_database: Project) -> None:
    must(project_on_database, "alembic", "upgrade", "head")
    query(project_on_database, "update alembic_version set version_num = 'abc123def456'")

    must(project_on_database, "alembic", "stamp", "head")

    assert current(project_on_database) == [HEAD]


@pytest.mark.parametrize("way", ["restore the file", "stamp an existing revision"])
def test_cant_locate_revision(project_on_database: Project, way: str) -> None:
    path = project_on_database.path / write_revision(project_on_database, "aaaa00000001", "op.execute('select 1')")
    must(project_on_database, "invoke", "migrate")
    text = path.read_text()
    path.unlink()

    refused = project_on_database.invoke("migrate")
    if way == "restore the file":
        path.write_text(text)
    else:
        must(project_on_database, "invoke", "stamp", HEAD)
    done = project_on_database.invoke("migrate")

    assert refused.code == 3
    assert "aaaa00000001, which has no file here" in refused.stderr
    assert "`git fetch --all`" in refused.stderr
    assert "`invoke stamp <revision>`" in refused.stderr
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("command", [("alembic", "upgrade", "head"), ("invoke", "migrate")], ids=["alembic", "invoke"])
def test_starting_fresh_by_hand(project_on_database: Project, command: tuple[str, ...]) -> None:
    must(project_on_database, "invoke", "migrate")
    query(project_on_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;")

    must(project_on_database, *command)

    assert current(project_on_database) == [HEAD]
    assert has_table(project_on_database, "users")


def test_starting_fresh_with_the_task_is_for_development_only(project_on_database: Project) -> None:
    project_on_database.environment["APP_ENV"] = "development"
    must(project_on_database, "invoke", "migrate")
    must(project_on_database, "invoke", "reset-dev", "--yes")
    set_mark(project_on_database, "production")

    refused = project_on_database.invoke("reset-dev", "--yes", env={"APP_ENV": "production"})

    assert refused.code == 3
    assert database_of(project_on_database).name in refused.stderr or "protected" in refused.stderr
