"""Statements that reach past their database are told from those that stay inside."""

from __future__ import annotations

import pytest

from stillroom.core.cluster_wide import find_cluster_wide, find_foreign_write

BEYOND = [
    ("create role reporting", "CREATE ROLE"),
    ("  CREATE USER app WITH PASSWORD 'x'", "CREATE USER"),
    ("drop role if exists reporting", "DROP ROLE"),
    ("alter role app in database shop set search_path = 'a'", "ALTER ROLE"),
    ("alter group staff add user app", "ALTER GROUP"),
    ("grant reporting to app", "GRANT of a role"),
    ("grant reporting, staff to app with admin option", "GRANT of a role"),
    ('grant "on" to app', "GRANT of a role"),
    ("revoke reporting from app", "REVOKE of a role"),
    ("grant connect on database shop to app", "GRANT ON DATABASE"),
    ("revoke all on database shop from public", "REVOKE ON DATABASE"),
    ("grant create on tablespace fast to app", "GRANT ON TABLESPACE"),
    ("grant set on parameter log_statement to app", "GRANT ON PARAMETER"),
    ("create tablespace fast location '/mnt'", "CREATE TABLESPACE"),
    ("alter system set work_mem = '1GB'", "ALTER SYSTEM"),
    ("alter database shop set timezone = 'UTC'", "ALTER DATABASE"),
    ("create database beside", "CREATE DATABASE"),
    ("drop database beside with (force)", "DROP DATABASE"),
    ("comment on database shop is 'the shop'", "COMMENT ON DATABASE"),
    ("comment on role app is 'it'", "COMMENT ON ROLE"),
    ("security label for selinux on role app is 'x'", "SECURITY LABEL ON ROLE"),
    ("reassign owned by a to b", "REASSIGN OWNED"),
    ("drop owned by a", "DROP OWNED"),
    ("create subscription s connection 'host=a' publication p", "CREATE SUBSCRIPTION"),
    ("copy users to program 'gzip > /tmp/x'", "COPY TO PROGRAM"),
    ("copy users from program 'cat /etc/passwd'", "COPY FROM PROGRAM"),
    ("copy (select 1) to '/tmp/x'", "COPY TO a file"),
    ("select dblink_exec('host=a', 'delete from x')", "dblink_exec()"),
    ("insert into t select * from public.dblink('host=a', 'select 1') as d (id int)", "dblink()"),
    ("select pg_catalog.pg_reload_conf()", "pg_reload_conf()"),
    ("select pg_terminate_backend(pid) from pg_stat_activity", "pg_terminate_backend()"),
    ("with a as (select lo_export(1, '/tmp/x')) select * from a", "lo_export()"),
    ("create table a (); create role b", "CREATE ROLE"),
    ("/* first */ -- then\ncreate /* a */ role b", "CREATE ROLE"),
    ("do $$ begin create role reporting; end $$", "CREATE ROLE"),
    ("DO LANGUAGE plpgsql $body$ BEGIN EXECUTE format('CREATE ROLE %I', 'a'); END $body$", "CREATE ROLE"),
    ("do 'begin execute ''drop role a''; end'", "DROP ROLE"),
    ("do $$ begin if not exists (select from pg_roles) then grant reporting to app; end if; end $$", "GRANT of a role"),
    (
        "do $$ begin execute 'grant connect on database ' || current_database() || ' to app'; end $$",
        "GRANT ON DATABASE",
    ),
    ("do $$ begin perform dblink_connect('host=a'); end $$", "dblink_connect()"),
    ("do $$ begin alter system set x = 1; end $$", "ALTER SYSTEM"),
    ("do $$ begin copy t from program 'x'; end $$", "COPY FROM PROGRAM"),
]
INSIDE = [
    "",
    ";",
    "create table role (id int)",
    "create user mapping for app server other",
    "drop user mapping if exists for app server other",
    "grant select on users to app",
    "grant usage on schema public to app, reporting",
    "revoke all on all tables in schema public from public",
    "grant execute on function f(int) to app",
    "alter default privileges in schema public grant select on tables to app",
    "alter table users owner to app",
    "alter table users set tablespace fast",
    "comment on table users is 'create role x'",
    "comment on column users.role is 'a role'",
    "insert into notes values ('create role x; drop database y')",
    "create function f() returns void language plpgsql as $$ begin create role x; end $$",
    "copy users from stdin",
    "copy users to stdout",
    "select 'dblink(' || role from users",
    "do $$ begin update users set role = 'a'; end $$",
    "do $$ begin grant select on users to app; end $$",
    "do $$ begin -- create role x\n perform 1; /* drop database y */ end $$",
    "set role app",
    "create publication p for table users",
    "create role_names_view as select 1",
]


@pytest.mark.parametrize(("sql", "effect"), BEYOND, ids=[sql[:50] for sql, _ in BEYOND])
def test_what_leaves_the_database_is_named(sql: str, effect: str) -> None:
    assert find_cluster_wide(sql) == effect


@pytest.mark.parametrize("sql", INSIDE)
def test_what_stays_in_the_database_is_left_alone(sql: str) -> None:
    assert find_cluster_wide(sql) == ""


@pytest.mark.parametrize(
    ("sql", "effect"),
    [
        ("insert into shop.remote values (1)", "INSERT of the foreign table shop.remote"),
        ("select 1; update remote set a = 1", "UPDATE of the foreign table remote"),
        ("with a as (delete from remote returning 1) select * from a", "WITH of the foreign table remote"),
        ("copy remote from stdin", "COPY of the foreign table remote"),
        ("truncate remote", "TRUNCATE of the foreign table remote"),
        ("insert into here select * from remote", ""),
        ("select * from remote", ""),
        ("drop foreign table remote", ""),
    ],
)
def test_a_write_to_another_servers_rows_is_named(sql: str, effect: str) -> None:
    assert find_foreign_write(sql, frozenset({"remote", "shop.remote"})) == effect
