"""`migrate`: what is pending is applied, once, and the database is looked at afterwards."""

from __future__ import annotations

import sys

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    add_user,
    answer,
    current,
    has_table,
    holding_lock,
    query,
    set_mark,
    write_revision,
)
from tests.servers import Project


def test_migrate_applies_every_revision_and_says_each_with_its_seconds(project_on_database: Project) -> None:
    done = project_on_database.invoke("migrate")

    assert done.code == 0, done.stderr
    assert current(project_on_database) == [HEAD]
    assert [line.split()[1] for line in done.stderr.splitlines() if line.startswith("  +")] == [INITIAL, TIMEZONE, HEAD]
    assert all(line.endswith(" s") for line in done.stderr.splitlines() if line.startswith("  "))
    assert done.stdout.endswith(f" s, now at {HEAD}\n")


def test_migrate_twice_applies_nothing_the_second_time(migrated: Project) -> None:
    add_user(migrated)

    done = migrated.invoke("migrate")

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.endswith(f"nothing to do, at {HEAD}\n")
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_the_plan_shows_revisions_and_sql_and_changes_nothing(project_on_database: Project) -> None:
    done = project_on_database.invoke("migrate", "--plan")

    assert done.code == 0, done.stderr
    assert "CREATE TABLE users" in done.stdout
    assert "CREATE INDEX CONCURRENTLY ix_tasks_open_due_at" in done.stdout
    assert done.stdout.endswith(f"3 revisions would run, from base to {HEAD}; nothing was run\n")
    assert not has_table(project_on_database, "alembic_version")
    assert query(project_on_database, "select count(*) from pg_namespace where nspname = 'stillroom'") == [(0,)]


def test_the_plan_names_the_locks_and_what_cannot_be_shown(migrated: Project) -> None:
    """A database that lets nobody write is enough for it."""
    write_revision(
        migrated,
        "aaaa00000001",
        """
        op.create_table('notes', sa.Column('user_id', sa.Uuid, sa.ForeignKey('users.id')))
        op.add_column('notes', sa.Column('body', sa.Text))
        op.create_index('ix_tasks_title', 'tasks', ['title'])
        """,
    )
    write_revision(migrated, "bbbb00000001", "op.get_bind().execute(sa.text('select 1')).scalar()", down="aaaa00000001")
    name = migrated.database.name if migrated.database else ""
    query(migrated, f"alter database {name} set default_transaction_read_only = on")

    shown, found = migrated.invoke("migrate", "--plan"), migrated.invoke("migrate", "--plan", "--json")

    assert shown.stdout.splitlines()[:4] == [
        "-- aaaa00000001  a step",
        "-- locks: users SHARE ROW EXCLUSIVE (blocks writes)",
        "-- locks: tasks SHARE (blocks writes)",
        "CREATE TABLE notes (",
    ]
    assert (
        "-- bbbb00000001  a step\n-- locks: unknown (what cannot be shown)\n-- cannot be shown without a connection ("
        in shown.stdout
    )
    assert [each["locks"] for each in answer(found.stdout)["result"]["steps"]] == [
        [
            {"relation": "users", "mode": "SHARE ROW EXCLUSIVE", "blocks": "writes"},
            {"relation": "tasks", "mode": "SHARE", "blocks": "writes"},
        ],
        [{"relation": "what cannot be shown", "mode": "unknown", "blocks": ""}],
    ]


def test_migrate_stops_at_the_target(project_on_database: Project) -> None:
    done = project_on_database.invoke("migrate", "--target", "abc1")

    assert done.code == 0, done.stderr
    assert current(project_on_database) == [TIMEZONE]


def test_a_target_behind_the_database_is_refused(migrated: Project) -> None:
    done = migrated.invoke("migrate", "--target", INITIAL)

    assert done.code == 3
    assert f"`invoke rollback --target {INITIAL}`" in done.stderr


def test_an_unknown_target_is_refused(migrated: Project) -> None:
    done = migrated.invoke("migrate", "--target", "fade")

    assert done.code == 3
    assert done.stderr.startswith("error: revision 'fade' is not in the history")


def test_migrate_is_not_refused_on_a_protected_database(migrated: Project) -> None:
    set_mark(migrated, "production")
    write_revision(migrated, "aaaa00000001", "op.create_table('extra', sa.Column('id', sa.Integer))")

    done = migrated.invoke("migrate", env={"APP_ENV": "production"})

    assert done.code == 0, done.stderr
    assert has_table(migrated, "extra")


def test_a_mark_that_contradicts_app_env_is_said(migrated: Project) -> None:
    done = migrated.invoke("migrate", env={"APP_ENV": "production"})

    assert done.code == 0
    assert "is marked development, and APP_ENV says production; that protects it" in done.stderr


def test_an_unknown_current_revision_is_refused_with_what_to_do(migrated: Project) -> None:
    """F03, F13: the row stays."""
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("migrate")

    assert done.code == 3
    assert "the database is at revision fadedfadedfa, which has no file here" in done.stderr
    assert "git knows no repository here, so only this folder was looked through" in done.stderr
    assert "`invoke stamp <revision>`" in done.stderr
    assert current(migrated) == ["fadedfadedfa"]


def test_migrate_waits_for_the_lock_and_names_who_holds_it(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.create_table('extra', sa.Column('id', sa.Integer))")

    with holding_lock(migrated, application="deploy of 14:02"):
        done = migrated.invoke("migrate", env={"STILLROOM_WAIT_S": "0.5"})

    assert done.code == 7
    assert "another migration is running (pid " in done.stderr
    assert "deploy of 14:02" in done.stderr
    assert current(migrated) == [HEAD]


def test_nothing_to_do_needs_no_lock(migrated: Project) -> None:
    with holding_lock(migrated):
        done = migrated.invoke("migrate", "--wait-s", "0")

    assert done.code == 0, done.stderr


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "1e9"])
def test_a_wait_that_is_no_number_of_seconds_is_refused(migrated: Project, seconds: str) -> None:
    done = migrated.invoke("migrate", f"--wait-s={seconds}")

    assert done.code == 2
    assert done.stderr.startswith("error: --wait-s is ")


def test_the_json_of_a_run_a_plan_and_a_refusal(project_on_database: Project) -> None:
    planned = answer(project_on_database.invoke("migrate", "--plan", "--json").stdout)
    ran = answer(project_on_database.invoke("migrate", "--json").stdout)
    refused = project_on_database.invoke("migrate", "--json", "--target", "fade")

    assert [step["revision"] for step in planned["result"]["steps"]] == [INITIAL, TIMEZONE, HEAD]
    assert (ran["command"], ran["ok"]) == ("migrate", True)
    assert [step["revision"] for step in ran["result"]["applied"]] == [INITIAL, TIMEZONE, HEAD]
    assert ran["result"]["plan"]["ends_at"] == [HEAD]
    assert answer(refused.stdout)["error"]["kind"] == "unknown-revision"
    assert (answer(refused.stdout)["error"]["exit_code"], refused.code, refused.stderr) == (3, 3, "")


def test_what_is_heavy_is_loaded_once_and_pygments_never(project_on_database: Project) -> None:
    """The process that waits for the one that migrates has no use for Alembic; Mako would load Pygments with it."""
    done = project_on_database.run(sys.executable, "-X", "importtime", "-m", "invoke", "migrate")

    loaded = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert done.code == 0
    assert [loaded.count(each) for each in ("alembic.context", "sqlalchemy", "sqlmodel", "pygments")] == [1, 1, 1, 0]
