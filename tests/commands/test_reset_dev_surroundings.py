"""`reset-dev` puts back what hung on the schema, also as a database owner who is no superuser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.commands.support import HEAD, add_user, current, database_of, has_table, query
from tests.servers import Database, Project

SNAPSHOT = """
select 'owner ' || pg_get_userbyid(nspowner) from pg_namespace where nspname = 'public'
union all select 'comment ' || coalesce(obj_description('public'::regnamespace, 'pg_namespace'), '-')
union all select format('grant %s %s %s', a.privilege_type, a.grantee, a.is_grantable) from pg_namespace n,
  aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a where nspname = 'public'
union all select format('default %s %s %s %s', d.defaclrole, d.defaclobjtype, a.privilege_type, a.grantee)
  from pg_default_acl d, aclexplode(d.defaclacl) a where d.defaclnamespace = 'public'::regnamespace
union all select format('extension %s %s', extname, extversion) from pg_extension where extnamespace = 'public'::regnamespace
order by 1
"""


@pytest.fixture
def owner(migrated: Project) -> Iterator[str]:
    """A role that owns the test's database and everything in it, and is no superuser."""
    database = database_of(migrated)
    role, reader = f"owner_{database.name}", f"reader_{database.name}"
    database.server.execute(f"create role {role} login")
    database.server.execute(f"create role {reader}")
    database.server.execute(f"alter database {database.name} owner to {role}")
    for table in ("users", "tasks", "conversations", "messages", "alembic_version"):
        query(migrated, f"alter table {table} owner to {role}")
    for kind in ("task_status", "message_role"):
        query(migrated, f"alter type {kind} owner to {role}")
    query(migrated, f"grant create on schema public to {role}")
    migrated.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{role}@")
    yield role
    database.drop()
    database.server.execute(f"drop role {role}")
    database.server.execute(f"drop role {reader}")


def as_role(database: Database, role: str, *statements: str) -> None:
    """Run statements as a role."""
    with closing(database.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"set role {role}")
        for each in statements:
            cursor.execute(each)


def test_owner_grants_defaults_comment_and_extensions_are_as_before(migrated: Project, owner: str) -> None:
    """F104."""
    database, reader = database_of(migrated), owner.replace("owner_", "reader_")
    is_theirs = database.server.major >= 15
    as_role(
        database,
        owner,
        "create extension citext",
        "create extension pg_trgm",
        f"alter default privileges in schema public grant select on tables to {reader}",
    )
    as_role(
        database,
        owner if is_theirs else "postgres",
        f"grant usage on schema public to {reader} with grant option",
        f"revoke {'all' if is_theirs else 'create'} on schema public from public",
        "comment on schema public is 'where it''s at'",
    )
    before = query(migrated, SNAPSHOT)

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert query(migrated, SNAPSHOT) == before
    assert "citext" in str(before)
    assert ("owner pg_database_owner",) in before or not is_theirs
    assert current(migrated) == [HEAD]
    assert query(migrated, "select has_table_privilege(%s, 'users', 'select')", reader) == [(True,)]


def test_a_schema_of_somebody_else_is_emptied(migrated: Project, owner: str) -> None:
    database = database_of(migrated)
    query(migrated, "alter schema public owner to postgres")
    as_role(
        database,
        owner,
        "create view seen as select 1 as one",
        "create function twice(n int) returns int language sql return n * 2",
        "create type mood as enum ('good')",
        "create domain small as int check (value < 10)",
        "create sequence counter",
        "create materialized view kept as select 1 as one",
        "create extension citext",
    )
    before = query(migrated, SNAPSHOT)

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert "emptied, because it belongs to somebody else: schema public" in done.stdout
    assert query(migrated, SNAPSHOT) == before
    left = "select relname from pg_class where relnamespace = 'public'::regnamespace and relname in ('seen', 'counter', 'kept') union all "
    left += "select proname from pg_proc where proname = 'twice' union all select typname from pg_type where typname in ('mood', 'small')"
    assert query(migrated, left) == []
    assert current(migrated) == [HEAD]


def test_what_this_role_could_not_put_back_stays_and_the_schema_is_emptied(migrated: Project, owner: str) -> None:
    """F104: an extension for superusers and default privileges of another role, as on Supabase, stop no reset."""
    database = database_of(migrated)
    reader = owner.replace("owner_", "reader_")
    if database.server.major < 15:
        query(migrated, f"alter schema public owner to {owner}")
    query(migrated, "create extension pageinspect")
    query(migrated, f"alter default privileges in schema public grant select on tables to {reader}")
    add_user(migrated)
    before = query(migrated, SNAPSHOT)

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert (
        "emptied, because extension pageinspect can only be created by a superuser; postgres gave default"
        in done.stdout
    )
    assert query(migrated, SNAPSHOT) == before
    assert query(migrated, "select count(*) from users") == [(0,)]
    assert current(migrated) == [HEAD]


def test_what_hangs_on_it_in_other_schemas_is_refused_unless_it_is_meant(migrated: Project) -> None:
    """F104."""
    query(migrated, "create schema reports")
    query(migrated, "create view reports.people as select email from public.users")
    query(migrated, "create table reports.moods (id int, mood public.task_status)")
    add_user(migrated)

    refused = migrated.invoke("reset-dev", "--yes")
    kept = query(migrated, "select count(*) from reports.people")
    done = migrated.invoke("reset-dev", "--yes", "--allow", "outside")

    assert refused.code == 3
    assert "what hangs on it in other schemas: column reports.moods.mood, " in refused.stderr
    assert "view reports.people" in refused.stderr
    assert "`invoke reset-dev --allow outside`" in refused.stderr
    assert kept == [(1,)]
    assert done.code == 0, done.stderr
    assert "taken along: view reports.people\n" in done.stdout
    assert not has_table(migrated, "reports.people")
    assert has_table(migrated, "reports.moods")


def test_what_stands_beside_it_stays(migrated: Project) -> None:
    query(migrated, "create schema reports")
    query(migrated, "create table reports.numbers (id int)")

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert has_table(migrated, "reports.numbers")


def test_several_schemas_are_reset_together(migrated: Project) -> None:
    query(migrated, "create schema audit")
    query(migrated, "comment on schema audit is 'who did what'")
    query(migrated, "create table audit.entries (id int)")

    done = migrated.invoke("reset-dev", "--yes", env={"STILLROOM_SCHEMAS": "public,audit"})

    assert done.code == 0, done.stderr
    assert not has_table(migrated, "audit.entries")
    assert query(migrated, "select obj_description('audit'::regnamespace, 'pg_namespace')") == [("who did what",)]
