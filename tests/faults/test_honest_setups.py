"""Twelve honest set-ups, nothing set beyond URL and APP_ENV: no common task is refused (F102's other side)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.support import HEAD, database_of, finish, launch, write_revision
from tests.faults.honest import (
    WORKING_DAY,
    a_working_day,
    answers,
    change_models,
    do,
    read_only,
    with_hosts,
    without_rights,
)
from tests.faults.own_server import OwnServer, own_server
from tests.faults.pooler import pooler
from tests.provision import provision
from tests.servers import Database, Project, copy_project

PASSWORD = "s3cret of the team"


@pytest.fixture(scope="module")
def team_server() -> Iterator[OwnServer]:
    """A server that asks for a password over TCP, as images and managed servers do."""
    with own_server(hba=["host all all 127.0.0.1/32 scram-sha-256"]) as running:
        running.query("alter role postgres password %s", PASSWORD)
        yield running


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


def test_a_role_like_those_of_rds(project: Project, team_server: OwnServer) -> None:
    """No superuser, no CREATEDB; it is in a group that owns the database and in one like `rds_superuser`; public belongs to another."""
    for statement in (
        "create role rds_superuser nologin; grant pg_monitor, pg_signal_backend, pg_read_all_data to rds_superuser",
        "create role shop_owners nologin",
        f"create role shop_deploy login nocreatedb password '{PASSWORD}' in role shop_owners, rds_superuser",
        "create database shop",
        "revoke all on database shop from public; grant connect, create, temporary on database shop to shop_owners",
    ):
        for each in statement.split("; "):
            team_server.query(each)
    for statement in ("alter schema public owner to rds_superuser", "grant all on schema public to shop_owners"):
        team_server.query(statement, database="shop")
    url = team_server.url("shop", user="shop_deploy", password=PASSWORD)
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "development"}

    results = a_working_day(project, "reset-dev --yes")

    assert results[-2]["mark"] == "development"
    team_server.query("alter table alembic_version owner to shop_owners", database="shop")
    do(project, "status", "rollback --yes", "migrate")


def test_a_role_like_those_of_neon(project: Project, team_server: OwnServer) -> None:
    """The pooled address for the application, the direct one for migrations; the role owns the database and creates none."""
    team_server.query(f"create role neondb_owner login nocreatedb password '{PASSWORD}'")
    team_server.query("create database neondb owner neondb_owner")
    behind = replace(team_server.as_server, superuser="neondb_owner")
    with pooler(behind, "transaction", size=2) as pooled:
        project.environment |= {
            "DATABASE_URL": pooled.url("neondb"),
            "MIGRATION_DATABASE_URL": team_server.url("neondb", user="neondb_owner", password=PASSWORD),
            "APP_ENV": "development",
        }
        results = a_working_day(project, "reset-dev --yes")

    assert results[-2]["mark"] == "development"


SUPABASE = """
create role supabase_auth_admin nologin noinherit createrole; create role supabase_storage_admin nologin noinherit createrole
create role anon nologin; create role authenticated nologin
create role app_postgres login createrole nocreatedb replication bypassrls password 's3cret of the team' in role anon, authenticated, pg_read_all_data
create database supabase owner app_postgres
"""
SUPABASE_DATABASE = """
create schema auth authorization supabase_auth_admin; create schema storage authorization supabase_storage_admin; create schema extensions
create extension citext schema extensions
create table auth.users (id uuid primary key default gen_random_uuid(), email text); alter table auth.users owner to supabase_auth_admin
create table storage.objects (id uuid primary key); alter table storage.objects owner to supabase_storage_admin
alter table storage.objects enable row level security
grant usage on schema auth, storage, extensions to app_postgres; grant all on all tables in schema auth, storage to app_postgres
grant usage on schema public to anon, authenticated
alter default privileges in schema public grant all on tables to app_postgres, anon, authenticated
alter default privileges in schema public grant all on functions to app_postgres, anon, authenticated
"""


def test_a_role_like_those_of_supabase(project: Project, team_server: OwnServer) -> None:
    """No superuser; auth, storage and extensions belong to others, who also gave default privileges in public; a table refers to auth.users."""
    for each in SUPABASE.strip().splitlines():
        team_server.query(each)
    for each in SUPABASE_DATABASE.strip().splitlines():
        team_server.query(each, database="supabase")
    refer_to_accounts(project)
    url = team_server.url("supabase", user="app_postgres", password=PASSWORD)
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "development"}

    results = a_working_day(project, "mark --environment development", "reset-dev --yes", "check")

    assert "supabase_admin" not in str(results)


def refer_to_accounts(project: Project) -> None:
    """Let a table of the project refer to one that somebody else keeps."""
    users, env = project.path / "src/models/users.py", project.path / "migrations/alembic/env.py"
    users.write_text(users.read_text() + ACCOUNTS)
    env.write_text(env.read_text().replace("run(SQLModel.metadata)", LEFT_OUT))
    first = next((project.path / "migrations/alembic/versions").glob("*3f9c1a7be204*"))
    column, _, rest = first.read_text().partition('sa.Column("email"')
    account = (
        'sa.Column("account", sa.Uuid(), sa.ForeignKey("auth.users.id", name="fk_users_account_users")),\n        '
    )
    first.write_text(f'{column}{account}sa.Column("email"{rest}')


ACCOUNTS = """

from sqlalchemy import Column, ForeignKeyConstraint, Table, Uuid

Table("users", SQLModel.metadata, Column("id", Uuid, primary_key=True), schema="auth")
_users = SQLModel.metadata.tables["users"]
_users.append_column(Column("account", Uuid))
_users.append_constraint(ForeignKeyConstraint(["account"], ["auth.users.id"], name="fk_users_account_users"))
"""
LEFT_OUT = "run(SQLModel.metadata, include_object=lambda it, *_: getattr(it, 'schema', None) != 'auth')"


def test_a_checkout_with_umask_0(project: Project) -> None:
    """WSL: every file may be written by everybody, the embedded server's and the backups' folders are made under that umask."""
    (project.path / ".env").write_text("APP_ENV=development\n")
    for path in (project.path, *project.path.rglob("*")):
        path.chmod(0o777)

    results = a_working_day(project, "reset-dev", prefix=["sh", "-c", 'umask 0; exec "$0" "$@"'])

    assert results[4]["backup"]["verified"] == "read"


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
    """The database is a revision ahead: what needs that revision's file is refused with the way out, the rest works."""
    step = migrated.path / write_revision(
        migrated, "aaaa00000001", "op.add_column('users', sa.Column('nickname', sa.Text))"
    )
    do(migrated, "migrate")
    step.unlink()

    free = ("status", "history", "heads", "check --heads", "backup", "backups", "mark", "config")
    works = do(migrated, *free)
    refused = answers(migrated, *NEEDS_THE_FILE)
    do(migrated, "reset-dev --yes", "status --exit-code")

    assert works[0]["place"] == "foreign"
    for each in refused:
        assert each["error"]["exit_code"] == 3, each
        assert "aaaa00000001" in each["error"]["message"], each


NEEDS_THE_FILE = ("migrate", "backup-then-migrate", "rollback --yes", "check", "make-migration -m more")


def test_a_database_whose_server_was_upgraded(project: Project, team_server: OwnServer) -> None:
    """Migrated on PostgreSQL 14, brought to 18 by dump and restore: another cluster, another owner, mark and version by restore."""
    with own_server(provision(14)) as old:
        old.query("create role legacy login")
        old.query("create database shop14 owner legacy")
        project.environment |= {"DATABASE_URL": old.url("shop14", user="legacy"), "APP_ENV": "development"}
        do(project, "migrate --target 3f9c1a7be204")
        dump = team_server.folder / "shop14.dump"
        dumped = team_server.programs.run("pg_dump", "-Fc", "-f", str(dump), old.url("shop14"))
        assert dumped.returncode == 0, dumped.stderr
    team_server.query(f"create role upgraded login password '{PASSWORD}'")
    team_server.query("create database shop14 owner upgraded")
    into = team_server.as_server
    flags = ["--no-owner", "--no-acl", "--role=upgraded", "-h", into.socket, "-p", into.port, "-U", into.superuser]
    restored = team_server.programs.run("pg_restore", *flags, "-d", "shop14", str(dump))
    assert restored.returncode == 0, restored.stderr
    project.environment["DATABASE_URL"] = team_server.url("shop14", user="upgraded", password=PASSWORD)

    change_models(project)
    results = do(project, *WORKING_DAY, "check --drift", "reset-dev --yes")

    assert results[0]["mark"] == "development"
    assert [each["revision"] for each in results[1]["applied"]] == ["abc123def456", HEAD]


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
