"""`stamp`: the current revision is written once the schema is proven to be there."""

from __future__ import annotations

import signal

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    answer,
    current,
    database_of,
    holding_lock,
    interrupt,
    launch,
    query,
    running,
    set_mark,
    until,
    write_revision,
)
from tests.servers import Project

SCRATCH = "select count(*) from pg_database where datname like 'stillroom_scratch%%'"


def test_head_is_proven_by_building_it_too(migrated: Project) -> None:
    query(migrated, "drop table alembic_version")

    done = migrated.invoke("stamp", "head")

    assert done.code == 0, done.stderr
    assert done.stdout.endswith(
        f": stamped {HEAD} (was no revision); the schema equals that revision built from base\n"
    )
    assert current(migrated) == [HEAD]
    assert "nothing to do" in migrated.invoke("migrate").stdout


def test_stamping_twice_does_nothing_the_second_time(migrated: Project) -> None:
    done = migrated.invoke("stamp", "head")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.endswith(f"nothing to do, at {HEAD}\n")


def test_another_revision_is_proven_by_building_it_in_a_scratch_database(migrated: Project) -> None:
    migrated.invoke("rollback")
    query(migrated, "update alembic_version set version_num = %s", INITIAL)

    done = migrated.invoke("stamp", TIMEZONE)

    assert done.code == 0, done.stderr
    assert f"building {TIMEZONE} in stillroom_scratch_" in done.stderr
    assert done.stdout.endswith("; the schema equals that revision built from base\n")
    assert current(migrated) == [TIMEZONE]
    assert query(migrated, SCRATCH) == [(0,)]


def test_base_is_proven_by_an_empty_schema(migrated: Project) -> None:
    query(migrated, "drop schema public cascade; create schema public")

    done = migrated.invoke("stamp", "base")
    refused = migrated.invoke("stamp", "head")

    assert done.code == 0, done.stderr
    assert refused.code == 3


@pytest.mark.parametrize("revision", ["head", INITIAL, "base"])
def test_what_is_not_there_is_refused_with_the_differences(migrated: Project, revision: str) -> None:
    query(migrated, "drop index ix_tasks_open_due_at")
    query(migrated, "alter table users alter timezone drop not null")
    query(migrated, "update alembic_version set version_num = %s", TIMEZONE)

    done = migrated.invoke("stamp", revision)

    assert done.code == 3
    assert "stamp that cannot be proven: " in done.stderr
    assert "timezone" in done.stderr or revision == "base"
    assert f"`invoke stamp {revision} --allow unproven`" in done.stderr
    assert current(migrated) == [TIMEZONE]
    assert query(migrated, SCRATCH) == [(0,)]


def test_unproven_goes_through_when_it_is_named(migrated: Project) -> None:
    done = migrated.invoke("stamp", INITIAL, "--allow", "unproven")

    assert done.code == 0, done.stderr
    assert done.stdout.endswith("; not proven, allowed by name\n")
    assert current(migrated) == [INITIAL]


def test_it_works_from_an_unknown_current_revision(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("stamp", "head")

    assert done.code == 0, done.stderr
    assert done.stdout.endswith(
        f": stamped {HEAD} (was fadedfadedfa); the schema equals that revision built from base\n"
    )


def test_a_revision_that_cannot_be_built_is_no_proof(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('select 1/0')")
    write_revision(migrated, "aaaa00000002", "pass", down="aaaa00000001")

    done = migrated.invoke("stamp", "aaaa00000001")

    assert done.code == 3
    assert (
        "that revision cannot be built from base: aaaa00000001 failed at line 11: division by zero (22012)"
        in done.stderr
    )
    assert query(migrated, SCRATCH) == [(0,)]


def test_a_role_that_may_not_create_databases_is_told_so(migrated: Project) -> None:
    database = database_of(migrated)
    role = f"plain_{database.name}"
    query(migrated, f"create role {role} login")
    query(migrated, f"grant all on all tables in schema public to {role}")
    env = {"DATABASE_URL": database.url.replace("postgres@", f"{role}@")}

    done = migrated.invoke("stamp", TIMEZONE, env={**env, "STILLROOM_PG_BIN": str(migrated.path)})
    allowed = migrated.invoke("stamp", TIMEZONE, "--allow", "unproven", env=env)

    assert done.code == 3
    assert "the role may not create a scratch database there, and the embedded server cannot run here" in done.stderr
    assert allowed.code == 0, allowed.stderr
    assert current(migrated) == [TIMEZONE]
    database.drop()
    database.server.execute(f"drop role {role}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_the_scratch_database_is_dropped_when_it_is_interrupted(migrated: Project, number: int) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('select pg_sleep(8)')")
    write_revision(migrated, "aaaa00000002", "pass", down="aaaa00000001")
    at_work = "select 1 from pg_stat_activity where query like '%%pg_sleep(8)%%' and state = 'active' and pid <> pg_backend_pid()"
    until(lambda: not query(migrated, at_work))  # that of the test before may not have left yet
    process = launch(migrated, "stamp", "aaaa00000001")
    until(lambda: query(migrated, at_work))

    stopped = interrupt(process, number)

    assert stopped.code == 130
    assert query(migrated, SCRATCH) == [(0,)]
    assert current(migrated) == [HEAD]
    assert running(migrated, "pg_sleep") == 0


def test_a_proven_stamp_is_allowed_on_a_protected_database_and_an_unproven_one_is_not(migrated: Project) -> None:
    set_mark(migrated, "production")
    query(migrated, "delete from alembic_version")
    env = {"APP_ENV": "production"}

    refused = migrated.invoke("stamp", INITIAL, env=env)
    done = migrated.invoke("stamp", "head", env=env)

    assert refused.code == 3
    assert done.code == 0, done.stderr


def test_rows_of_another_branch_stay(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('select 1')")
    write_revision(migrated, "bbbb00000001", "op.execute('select 1')")
    query(migrated, "update alembic_version set version_num = 'bbbb00000001'")

    done = migrated.invoke("stamp", "aaaa", "--allow", "unproven")

    assert done.code == 0, done.stderr
    assert current(migrated) == ["aaaa00000001", "bbbb00000001"]


def test_it_waits_for_the_lock_and_names_who_holds_it(migrated: Project) -> None:
    query(migrated, "delete from alembic_version")

    with holding_lock(migrated, application="a deploy"):
        done = migrated.invoke("stamp", "head", env={"STILLROOM_WAIT_S": "0.5"})

    assert done.code == 7
    assert "a deploy" in done.stderr
    assert current(migrated) == []


def test_no_revision_and_an_unknown_one_are_refused(migrated: Project) -> None:
    none, unknown = migrated.invoke("stamp", ""), migrated.invoke("stamp", "fade")

    assert (none.code, unknown.code) == (2, 3)
    assert "no revision was given" in none.stderr


def test_the_json_of_a_stamp_and_a_refusal(migrated: Project) -> None:
    refused = answer(migrated.invoke("stamp", INITIAL, "--json").stdout)
    query(migrated, "delete from alembic_version")
    done = answer(migrated.invoke("stamp", "head", "--json").stdout)

    assert refused["error"]["kind"] == "refused"
    assert (done["result"]["before"], done["result"]["now"], done["result"]["proof"]) == (
        [],
        [HEAD],
        "the schema equals that revision built from base",
    )


def test_a_role_without_usage_on_the_schema_is_told_which_right_it_lacks(migrated: Project) -> None:
    database = database_of(migrated)
    role = f"plain_{database.name}"
    query(migrated, f"create role {role} login")
    query(migrated, "revoke all on schema public from public")

    done = migrated.invoke("stamp", "head", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    assert done.code == 4
    assert f'`GRANT USAGE ON SCHEMA "public" TO "{role}";`' in done.stderr
    database.drop()
    database.server.execute(f"drop role {role}")


TRIGGER = (
    "op.execute('create function f() returns trigger language plpgsql as $$ begin return new; end $$'); "
    "op.execute('create trigger t before insert on users for each row execute function f()')"
)


def test_head_is_not_proven_by_models_that_know_no_trigger(migrated: Project) -> None:
    """F14: the models agree before and after it."""
    write_revision(migrated, "aaaa00000001", TRIGGER)

    done = migrated.invoke("stamp", "head")

    assert done.code == 3, done.stdout
    assert "trigger t on public.users: missing" in done.stderr
    assert current(migrated) == [HEAD]


def test_a_table_in_a_schema_that_no_revision_names_is_no_difference(migrated: Project) -> None:
    query(migrated, "create schema bi; create table bi.reports (); truncate alembic_version")

    adopted = migrated.invoke("migrate")
    done = migrated.invoke("stamp", "head")

    assert f"the schema equals revision {HEAD} built from base" in adopted.stderr
    assert done.code == 0, done.stderr
