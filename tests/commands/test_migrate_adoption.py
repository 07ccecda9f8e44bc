"""F14: a database with the history's tables and no version row is never run from base, and is told where it stands."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    add_user,
    current,
    database_of,
    finish,
    has_table,
    holding_lock,
    launch,
    query,
    write_revision,
)
from tests.faults.asking import ask, refusal
from tests.servers import Project

SCRATCH = "select count(*) from pg_database where datname like 'stillroom_scratch%%'"
THERE = "no revision is applied, and tables that the pending revisions make are there: public.conversations, public.messages, public.tasks, public.users"


def test_each_revision_is_proven_and_named(migrated: Project) -> None:
    add_user(migrated)
    for revision, lost in (
        (HEAD, "delete from alembic_version"),
        (TIMEZONE, "drop table alembic_version; drop index ix_tasks_open_due_at"),
        (INITIAL, "delete from alembic_version; alter table users drop timezone"),
    ):
        query(migrated, lost)

        found = ask(migrated, "migrate", f"stamp {revision}")

        message = refusal(found["migrate"])
        assert message.endswith(f"{THERE}; the schema equals revision {revision} built from base")
        assert found["migrate"]["error"]["hint"].startswith(f"`invoke stamp {revision}`, then `invoke migrate`")
        assert found[f"stamp {revision}"]["ok"], found
        assert current(migrated) == [revision]
    assert query(migrated, SCRATCH) == [(0,)]
    assert migrated.invoke("migrate").code == 0
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_no_match_names_the_nearest_with_its_differences(migrated: Project) -> None:
    query(migrated, "delete from alembic_version; alter table users drop display_name, add mine int")

    found = ask(migrated, "migrate", "backup-then-migrate", "migrate --plan")

    message = refusal(found["migrate"])
    assert (
        f"{THERE}; the schema equals no revision; nearest is {HEAD} with 2 differences: "
        "column public.users.mine: not from the history; column public.users.display_name: missing"
    ) in message
    assert f"`invoke stamp {HEAD} --allow unproven`" in found["migrate"]["error"]["hint"]
    assert refusal(found["backup-then-migrate"]) == message
    assert refusal(found["migrate --plan"]) == THERE
    assert (current(migrated), query(migrated, SCRATCH)) == ([], [(0,)])
    assert not list(migrated.path.glob("backups/*"))


def test_revisions_that_differ_in_rows_alone_are_all_named(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('update users set timezone = timezone')")
    query(migrated, "delete from alembic_version")

    found = ask(migrated, "migrate")["migrate"]

    assert refusal(found).endswith(
        f"equals revisions {HEAD}, aaaa00000001 built from base, which differ in nothing that is compared (not rows, partitions, rules, statistics, grants)"
    )
    assert found["error"]["hint"].startswith("`invoke stamp aaaa00000001`, or an earlier one")


def test_without_the_right_to_build_the_embedded_server_builds_and_without_that_it_says_so(migrated: Project) -> None:
    database = migrated.database
    assert database is not None
    query(migrated, "delete from alembic_version")
    role = f"plain_{database.name}"
    query(
        migrated,
        f"create role {role} login; grant all on schema public to {role}; grant all on all tables in schema public to {role}",
    )

    url = database.url.replace(database.server.superuser + "@", role + "@")
    try:
        done = migrated.invoke(
            "migrate",
            env={"DATABASE_URL": url, "STILLROOM_PG_BIN": str(migrated.path)},
        )
        beside = migrated.invoke("migrate", env={"DATABASE_URL": url})
    finally:
        query(migrated, f"drop owned by {role}; drop role {role}")

    assert done.code == 3, done.stderr
    assert f"{THERE}; the role may not create a scratch database" in done.stderr
    assert "hint:  `invoke stamp <revision>`" in done.stderr
    assert f"the schema equals revision {HEAD} built from base" in beside.stderr


def test_tables_that_no_revision_makes_are_no_reason(project_on_database: Project) -> None:
    """F50: another project's tables and version table, an extension's tables, a table of ours in another schema."""
    project = project_on_database
    query(
        project,
        "create table theirs (); create table their_version (version_num text); create schema app; create table app.users ()",
    )
    query(project, "create view theirs_too as select 1 as x")

    done = project.invoke("migrate")

    assert done.code == 0, done.stderr
    assert current(project) == [HEAD]


@pytest.mark.parametrize("statement", ["create table if not exists notes ()", "create temp table users ()"])
def test_tables_that_may_be_there_are_no_reason(project_on_database: Project, statement: str) -> None:
    project = project_on_database
    _only(project, f"op.execute('{statement}')")
    query(project, "create table notes (); create table users ()")

    assert project.invoke("migrate").code == 0


GUARDED = "if not sa.inspect(op.get_bind()).has_table('acc'): op.create_table('acc', sa.Column('n', sa.Integer))"
LEAVING = "if sa.inspect(op.get_bind()).has_table('acc'): return\nop.create_table('acc', sa.Column('n', sa.Integer))"
IF_NOT_EXISTS = "op.execute('create table if not exists acc(n int)')"
IN_A_BLOCK = "op.execute('do $$ begin create table if not exists acc(n int); end $$')"
UNGUARDED = "op.get_bind().scalar(sa.text('select 1'))\nop.create_table('acc', sa.Column('n', sa.Integer))"
GONE_ON = "no revision is applied, and tables that the pending revisions make are there: public.acc; the schema equals revision"


@pytest.mark.parametrize("first", [GUARDED, LEAVING, IF_NOT_EXISTS, IN_A_BLOCK])
def test_a_guard_is_no_excuse_once_a_migration_was_here(project_on_database: Project, first: str) -> None:
    """F14: honest on a database that never saw Alembic; with an empty version table the second step would count twice."""
    project = project_on_database
    _only(project, first)
    write_revision(project, "aaaa00000002", "op.execute('update acc set n = n + 1')", down="aaaa00000001")
    query(project, "create table acc (n int); insert into acc values (1)")

    honest = ask(project, "migrate")["migrate"]
    query(project, "delete from alembic_version")
    again = ask(project, "migrate", "backup-then-migrate", "migrate --plan")

    assert honest["ok"], honest
    assert GONE_ON in refusal(again["migrate"])
    assert {each["error"]["exit_code"] for each in again.values()} == {3}
    assert (current(project), query(project, "select n from acc")) == ([], [(2,)])


def test_a_step_that_cannot_be_rendered_counts_with_its_text(project_on_database: Project) -> None:
    """F14: without a version table too, where nothing of its author says that the table may be there."""
    project = project_on_database
    _only(project, UNGUARDED)
    query(project, "create table acc (n int)")

    assert GONE_ON in refusal(ask(project, "migrate")["migrate"])


def test_plain_alembic_is_refused_too(migrated: Project) -> None:
    """F14: with an empty version table and with none."""
    for lost in ("delete from alembic_version", "drop table alembic_version"):
        query(migrated, lost)

        done = migrated.run(sys.executable, "-m", "alembic", "upgrade", "head")

        assert done.code == 255, done.stderr
        assert done.stdout.startswith(f"FAILED: {THERE}\nhint:  `invoke migrate` finds out")
    assert not has_table(migrated, "alembic_version")


def test_back_to_base_and_forward_again_beside_another_projects_tables(migrated: Project) -> None:
    query(migrated, "create table theirs (); create table their_version (version_num text)")

    found = ask(migrated, "rollback --target base --yes", "migrate")

    assert [each["ok"] for each in found.values()] == [True, True], found
    assert current(migrated) == [HEAD]


def test_raw_sql_and_a_table_in_a_schema_count_too(project_on_database: Project) -> None:
    project = project_on_database
    _only(project, "op.execute('create table \"Notes\" ()'); op.create_table('users', schema='app')")
    query(project, 'create schema app; create table "Notes" (); create table app.users (); create table users ()')

    message = refusal(ask(project, "migrate")["migrate"])

    assert "are there: app.users, public.Notes; " in message


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("op.execute('select 1 / 0')", "aaaa00000001 failed at line 11: division by zero"),
        ("op.get_context().as_sql or __import__('os')._exit(0)", "the process that ran the steps"),
    ],
    ids=["a step fails", "a step ends the process"],
)
def test_a_history_that_cannot_be_built_says_why(project_on_database: Project, rest: str, reason: str) -> None:
    project = project_on_database
    _only(project, f"op.create_table('users'); {rest}")
    query(project, "create table users ()")

    found = ask(project, "migrate")["migrate"]

    assert f"; the history cannot be built from base: {reason}" in refusal(found)
    assert found["error"]["hint"].startswith("`invoke stamp <revision>`")


def test_tables_of_a_migration_under_way_are_waited_for(migrated: Project) -> None:
    """Another one holds the lock: what is there may be its own, so the look under the lock decides and not the first."""
    query(migrated, "delete from alembic_version")

    with holding_lock(migrated):
        process = launch(migrated, "migrate")
        assert process.stderr is not None
        waits = process.stderr.readline()
    code, _, stderr = finish(process)

    assert "waiting" in waits
    assert code == 3
    assert stderr.startswith(f"error: {THERE}\nhint:  `invoke migrate` finds out which revision")


@pytest.mark.parametrize("where", ["database", "setting", "version table"])
def test_the_search_path_and_the_schemas_of_the_database_are_built_on(project_on_database: Project, where: str) -> None:
    project = project_on_database
    database = database_of(project)
    query(project, "create schema app")
    if where == "database":
        query(project, f'alter database "{database.name}" set search_path = app')
    elif where == "setting":
        project.environment["STILLROOM_SEARCH_PATH"] = "app"
    else:
        env = project.path / "migrations" / "alembic" / "env.py"
        named = env.read_text("utf-8").replace("(SQLModel.metadata)", '(SQLModel.metadata, version_table_schema="app")')
        env.write_text(named, "utf-8")
    assert project.invoke("migrate").code == 0
    query(project, "truncate app.alembic_version")

    done = project.invoke("migrate")

    assert done.code == 3, done.stdout
    assert f"the schema equals revision {HEAD} built from base" in done.stderr


def test_a_step_that_tells_nothing_is_not_run_over_tables_once_a_migration_was_here(
    project_on_database: Project,
) -> None:
    """F14: SQL of a file shows on a connection only; run again it would count twice. The way out is named."""
    project = project_on_database
    _only(
        project,
        "op.get_bind().exec_driver_sql('create table if not ' + 'exists acc(n int); insert into acc values (1)')",
    )
    assert project.invoke("migrate").code == 0
    query(project, "truncate alembic_version")

    found = ask(project, "migrate", "migrate --plan")

    assert "tables are there that aaaa00000001 may have made: public.acc; the schema equals" in refusal(
        found["migrate"]
    )
    assert found["migrate"]["error"]["hint"].endswith(
        "can be repeated, and nothing else ran: `DROP TABLE public.alembic_version`"
    )
    assert found["migrate --plan"]["error"]["exit_code"] == 3
    assert query(project, "select n from acc") == [(1,)]


def _only(project: Project, upgrade: str) -> None:
    """Replace the history by one revision."""
    versions = Path(project.path, "migrations/alembic/versions")
    shutil.rmtree(versions)
    versions.mkdir()
    write_revision(project, "aaaa00000001", upgrade, down=None)
