"""Servers that others run: their roles are no superusers, and own less than everything; no common task is refused."""

from __future__ import annotations

from dataclasses import replace

from tests.commands.support import HEAD
from tests.faults.honest import PASSWORD, WORKING_DAY, a_working_day, change_models, do
from tests.faults.own_server import OwnServer, own_server
from tests.faults.pooler import pooler
from tests.provision import provision
from tests.servers import Project


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


def test_a_role_with_rights_on_public_only(project: Project, team_server: OwnServer) -> None:
    """It owns neither database nor schema and may make no other: no mark can be written, which is said and stops nothing."""
    team_server.query(f"create role guest login password '{PASSWORD}'")
    team_server.query("create database hosted")
    team_server.query("grant usage, create on schema public to guest", database="hosted")
    url = team_server.url("hosted", user="guest", password=PASSWORD)
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "development"}

    results = a_working_day(project)

    assert results[-1]["mark"] is None


SUPABASE = (
    "create role supabase_auth_admin",
    "create role supabase_storage_admin",
    "create role anon",
    "create role authenticated",
    f"create role app_postgres login createrole replication bypassrls password '{PASSWORD}' in role anon, authenticated, pg_read_all_data",
    "create database supabase owner app_postgres",
)
SUPABASE_DATABASE = (
    "create schema auth authorization supabase_auth_admin",
    "create schema storage authorization supabase_storage_admin",
    "create schema extensions",
    "create extension citext schema extensions",
    "create table auth.users (id uuid primary key default gen_random_uuid(), email text)",
    "alter table auth.users owner to supabase_auth_admin",
    "create table storage.objects (id uuid primary key)",
    "alter table storage.objects owner to supabase_storage_admin",
    "alter table storage.objects enable row level security",
    "grant usage on schema auth, storage, extensions to app_postgres",
    "grant all on all tables in schema auth, storage to app_postgres",
    "grant usage on schema public to anon, authenticated",
    "alter default privileges in schema public grant all on tables to app_postgres, anon, authenticated",
    """alter database supabase set search_path to "$user", public, extensions""",
    "insert into auth.users (email) values ('ada@example.com')",
)
ACCOUNTS = """

from sqlalchemy import Column, ForeignKeyConstraint, Table, Uuid

Table("users", SQLModel.metadata, Column("id", Uuid, primary_key=True), schema="auth")
_users = SQLModel.metadata.tables["users"]
_users.append_column(Column("account", Uuid))
_users.append_constraint(ForeignKeyConstraint(["account"], ["auth.users.id"], name="fk_users_account_users"))
"""
LEFT_OUT = "run(SQLModel.metadata, include_object=lambda it, *_: getattr(it, 'schema', None) != 'auth')"


def refer_to_accounts(project: Project) -> None:
    """Let a table of the project refer to one that somebody else keeps, from the first revision on."""
    users, env = project.path / "src/models/users.py", project.path / "migrations/alembic/env.py"
    users.write_text(users.read_text() + ACCOUNTS)
    env.write_text(env.read_text().replace("run(SQLModel.metadata)", LEFT_OUT))
    first = next((project.path / "migrations/alembic/versions").glob("*3f9c1a7be204*"))
    column, _, rest = first.read_text().partition('sa.Column("email"')
    account = (
        'sa.Column("account", sa.Uuid(), sa.ForeignKey("auth.users.id", name="fk_users_account_users")),\n        '
    )
    first.write_text(f'{column}{account}sa.Column("email"{rest}')


def test_a_role_like_those_of_supabase(project: Project, team_server: OwnServer) -> None:
    """No superuser; auth, storage and extensions are others', who gave default privileges in public; a table refers to auth.users."""
    for each in SUPABASE:
        team_server.query(each)
    for each in SUPABASE_DATABASE:
        team_server.query(each, database="supabase")
    refer_to_accounts(project)
    url = team_server.url("supabase", user="app_postgres", password=PASSWORD)
    project.environment |= {"DATABASE_URL": url, "APP_ENV": "development"}

    results = a_working_day(project, "mark --environment development", "reset-dev --yes", "check")

    assert results[-2]["reset"]["emptied"] == ["public"]
    assert results[-2]["reset"]["why_emptied"] == ["postgres gave default privileges in it"]
    assert team_server.query("select count(*) from auth.users", database="supabase") == [(1,)]


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

    assert results[0]["mark"] == "copied", "until the next migrate under the same APP_ENV takes it for its own"
    assert [each["revision"] for each in results[1]["applied"]] == ["abc123def456", HEAD]
