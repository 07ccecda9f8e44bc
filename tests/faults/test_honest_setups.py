"""Twelve honest set-ups, nothing set beyond URL and APP_ENV: no common task is refused (the other side of S27, S30, F34, F102)."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

from tests.commands.support import database_of, finish, launch, write_revision
from tests.faults.honest import PASSWORD, a_working_day, answers, do, read_only, with_hosts, without_rights
from tests.faults.own_server import OwnServer
from tests.servers import Database, Project, copy_project


def test_a_laptop_without_any_setting(project: Project) -> None:
    """The embedded server; nothing but PATH, HOME and LANG is in the environment."""
    results = a_working_day(project, "reset-dev")

    assert results[4]["backup"]["tables"] == 5
    assert len(results[-1]["applied"]) == 4


def test_a_compose_service_called_db(project: Project, team_server: OwnServer) -> None:
    """The host is `db`, the password is asked for, and the role is a superuser of its own name, as POSTGRES_USER is."""
    team_server.query("create role app superuser login password %s", PASSWORD)
    team_server.query("create database app owner app")
    url = team_server.url("app", user="app", password=PASSWORD, host="db")
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "development"}

    results = a_working_day(project, "reset-dev --yes", prefix=with_hosts(project, db="127.0.0.1"))

    assert results[0]["mark"] is None
    assert not results[-2]["is_protected"]


def test_a_ci_service_called_postgres(project: Project, team_server: OwnServer) -> None:
    """CI=true, no terminal, the superuser, a fresh database, APP_ENV=test."""
    team_server.query("create database test_db")
    url = team_server.url("test_db", password=PASSWORD, host="postgres")
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "test", "CI": "true"}

    results = a_working_day(project, "reset-dev --yes", prefix=with_hosts(project, postgres="127.0.0.1"))

    assert results[-2]["mark"] == "test"


def test_eight_pods_at_once_on_a_file_system_that_cannot_be_written(project: Project, team_server: OwnServer) -> None:
    """A user id without a name, no home, a read-only image; one of the eight migrates, and a pod that starts later finds nothing."""
    team_server.query("create role service login password %s", PASSWORD)
    team_server.query("create database service owner service")
    project.environment |= {
        "DATABASE_URL": team_server.url("service", user="service", password=PASSWORD),
        "APP_ENV": "production",
        "HOME": "/nonexistent",
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
    }
    prefix = [*read_only(project.path), *without_rights()]

    pods = [launch(project, "migrate", "--json", prefix=prefix) for _ in range(8)]
    ended = [finish(each, timeout=240) for each in pods]
    assert [code for code, _, _ in ended] == [0] * 8, ended
    looks = do(project, "status --exit-code", "migrate", "check", "history", "heads", "config", prefix=prefix)

    assert sum("7d20e85f6b13" in stderr for _, _, stderr in ended) == 1
    assert looks[0]["place"] == "head"
    assert subprocess.run([*prefix, "touch", "x"], check=False, capture_output=True).returncode


def test_a_checkout_with_umask_0(project: Project) -> None:
    """WSL: every file may be written by everybody, the embedded server's and the backups' folders are made under that umask."""
    (project.path / ".env").write_text("APP_ENV=development\n")
    for path in (project.path, *project.path.rglob("*")):
        path.chmod(0o777)

    results = a_working_day(
        project, "reset-dev", prefix=["sh", "-c", 'umask 0; exec "$0" "$@"'], problems=["dotenv-writable"]
    )

    assert results[4]["backup"]["verified"] == "restore"


def test_a_folder_of_a_monorepo(tmp_path: Path, database: Database) -> None:
    """The repository's root is two folders above; the tasks are typed below the service's folder, another service lies beside."""
    root = tmp_path / "monorepo"
    project = copy_project(root / "services/chat")
    copy_project(root / "services/other")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".env").write_text("DATABASE_URL=postgresql://of-the-frontend/nothing\n")
    project.environment |= {"DATABASE_URL": database.url, "APP_ENV": "development"}

    results = a_working_day(project, "reset-dev --yes", prefix=["sh", "-c", 'cd src/models; exec "$0" "$@"'])

    assert str(results[4]["backup"]["path"]).startswith(str(project.path / "backups"))
    assert len(list((project.path / "migrations/alembic/versions").glob("*.py"))) == 4


def test_an_image_rolled_back(migrated: Project) -> None:
    """F13: the database is a revision ahead; what needs that revision's file is refused with the way out, the rest works."""
    step = migrated.path / write_revision(
        migrated, "aaaa00000001", "op.add_column('users', sa.Column('nickname', sa.Text))"
    )
    do(migrated, "migrate")
    for words in ("init -q -b main", "add .", "-c user.name=Ada -c user.email=ada@example.com commit -qm nicknames"):
        subprocess.run(["git", *words.split()], cwd=migrated.path, check=True)
    step.unlink()

    free = ("status", "history", "heads", "check --heads", "backup", "backups", "mark", "config")
    works = do(migrated, *free)
    refused = answers(migrated, *NEEDS_THE_FILE)
    do(migrated, "reset-dev --yes", "status --exit-code")

    assert works[0]["place"] == "ahead"
    assert works[0]["found_in"].startswith("branch main has it, in migrations/alembic/versions/"), works[0]
    assert works[4]["backup"]["revisions"] == ["aaaa00000001"]
    for each in refused:
        assert each["error"]["exit_code"] == 3, each
        assert "aaaa00000001" in each["error"]["message"], each
        assert "check it out: `git switch main`" in each["error"]["hint"], each


NEEDS_THE_FILE = ("migrate", "backup-then-migrate", "rollback --yes", "check", "make-migration -m more")


IDLE = (
    "select 1",
    "begin; select count(*) from bi.reports",
    "begin; select now()",
)


def test_an_ide_connected_and_idle(migrated: Project) -> None:
    """Three sessions: idle; idle in a transaction that read another's table; idle in one that read no table."""
    database = database_of(migrated)
    with ExitStack() as stack:
        for statements in ("create schema bi; create table bi.reports (id int)", *IDLE):
            connection = stack.enter_context(closing(database.connect()))
            with connection.cursor() as cursor:
                cursor.execute(statements)

        results = a_working_day(migrated, "reset-dev --yes")

    assert results[-1]["applied"]
