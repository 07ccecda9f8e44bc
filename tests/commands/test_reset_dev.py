"""`reset-dev`: everything in the schema goes, the revisions run from base, and only on a development database."""

from __future__ import annotations

import sys

import pexpect
import pytest

from tests.commands.support import (
    HEAD,
    add_user,
    answer,
    current,
    database_of,
    finish,
    has_table,
    holding_lock,
    launch,
    query,
    set_mark,
    write_revision,
)
from tests.servers import Project


def test_the_schema_is_dropped_and_every_revision_runs(migrated: Project) -> None:
    add_user(migrated)
    query(migrated, "create table stray ()")

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert done.stdout.startswith("dropped and put back: schema public\n")
    assert done.stdout.endswith(f" s, now at {HEAD}\n")
    assert query(migrated, "select count(*) from users") == [(0,)]
    assert not has_table(migrated, "stray")
    assert migrated.invoke("check").code == 0


def test_twice_is_the_same_as_once(migrated: Project) -> None:
    migrated.invoke("reset-dev", "--yes")

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert current(migrated) == [HEAD]


def test_the_mark_survives(migrated: Project) -> None:
    migrated.invoke("reset-dev", "--yes")

    assert query(migrated, "select environment from stillroom.mark") == [("development",)]


def test_the_seed_function_runs_when_asked_for(migrated: Project) -> None:
    done = migrated.invoke("reset-dev", "--yes", "--seed")

    assert done.code == 0, done.stderr
    assert "3 revisions applied, seeded in" in done.stdout
    assert query(migrated, "select email from users") == [("ada@example.com",)]


def test_a_seed_that_fails_keeps_the_schema_and_nothing_of_itself(migrated: Project) -> None:
    (migrated.path / "src/models/seed.py").write_text(
        "def seed(connection):\n    connection.exec_driver_sql(\"insert into users (email, display_name) values ('a', 'b')\")\n    1 / 0\n"
    )

    done = migrated.invoke("reset-dev", "--yes", "--seed")

    assert done.code == 4
    assert "models.seed:seed raised ZeroDivisionError: division by zero; nothing of it was kept" in done.stderr
    assert current(migrated) == [HEAD]
    assert query(migrated, "select count(*) from users") == [(0,)]


@pytest.mark.parametrize(
    ("seed", "said"),
    [
        ("", "no seed function is named"),
        ("seed = models.nowhere:seed", "the seed function models.nowhere:seed cannot be loaded"),
    ],
    ids=["none", "not there"],
)
def test_a_seed_that_cannot_be_found_stops_before_the_drop(migrated: Project, seed: str, said: str) -> None:
    ini = migrated.path / "alembic.ini"
    ini.write_text(ini.read_text().replace("seed = models.seed:seed", seed))
    add_user(migrated)

    done = migrated.invoke("reset-dev", "--yes", "--seed")

    assert done.code == 2
    assert said in done.stderr
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_a_revision_that_fails_leaves_a_state_that_is_said(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('select 1/0')")

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 4
    assert (
        "aaaa00000001 failed at line 11: division by zero (22012); it was rolled back; 3 of 4 applied, 0 not tried"
        in done.stderr
    )
    assert current(migrated) == [HEAD]


def test_an_unknown_current_revision_is_no_obstacle(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("reset-dev", "--yes")

    assert done.code == 0, done.stderr
    assert current(migrated) == [HEAD]


@pytest.mark.parametrize(
    ("mark", "app_env", "hint"),
    [
        ("production", "production", "use a development database"),
        ("staging", "staging", "use a development database"),
        ("production", "development", "correct APP_ENV or DATABASE_URL"),
        ("development", "production", "correct APP_ENV or DATABASE_URL"),
        (None, "development", "`invoke mark --environment development`"),
    ],
    ids=["production", "staging", "contradicted", "contradicted the other way", "unknown"],
)
def test_a_protected_or_unknown_database_is_refused_whatever_the_flags(
    migrated: Project, mark: str | None, app_env: str, hint: str
) -> None:
    """F102, S30."""
    set_mark(migrated, mark)
    add_user(migrated)

    done = migrated.invoke(
        "reset-dev", "--yes", "--kick", "--allow", "outside,data-loss,swap", env={"APP_ENV": app_env}
    )

    assert done.code == 3
    assert "reset-dev: the database is protected" in done.stderr
    assert hint in done.stderr
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_tables_of_somebody_else_are_never_reset(project_on_database: Project) -> None:
    query(project_on_database, "create table theirs ()")

    done = project_on_database.invoke("reset-dev", "--yes", env={"APP_ENV": "development"})

    assert done.code == 3
    assert has_table(project_on_database, "theirs")


def test_without_a_terminal_and_without_yes_it_is_refused_with_what_would_die(migrated: Project) -> None:
    """F57."""
    add_user(migrated)

    done = migrated.invoke("reset-dev")

    assert done.code == 3
    assert "schema public would be dropped (alembic_version 1, users 1), and nobody is there to be asked" in done.stderr
    assert done.stderr.endswith("hint:  if that is meant: `invoke reset-dev --yes`\n")
    assert query(migrated, "select count(*) from users") == [(1,)]


@pytest.mark.parametrize(("reply", "left"), [("y", 0), ("n", 1)], ids=["yes", "no"])
def test_in_a_terminal_it_asks_once(migrated: Project, reply: str, left: int) -> None:
    add_user(migrated)
    child = pexpect.spawn(
        sys.executable,
        ["-m", "invoke", "reset-dev"],
        cwd=str(migrated.path),
        env=migrated.full_environment(),
        encoding="utf-8",
        timeout=20,
    )

    child.expect(rf"{database_of(migrated).name} on .*: schema public will be dropped; rows: .*users 1")
    child.expect(r"drop it and start anew\? \[y/N\] ")
    child.sendline(reply)
    child.read()
    child.close()

    assert child.exitstatus == (0 if reply == "y" else 3)
    assert query(migrated, "select count(*) from users") == [(left,)]


def test_it_waits_for_the_lock_and_names_who_holds_it(migrated: Project) -> None:
    add_user(migrated)

    with holding_lock(migrated, application="a deploy"):
        done = migrated.invoke("reset-dev", "--yes", env={"STILLROOM_WAIT_S": "0.5"})

    assert done.code == 7
    assert "a deploy" in done.stderr
    assert query(migrated, "select count(*) from users") == [(1,)]


def test_three_at_once_reset_one_after_another(migrated: Project) -> None:
    ended = [finish(process) for process in [launch(migrated, "reset-dev", "--yes") for _ in range(3)]]

    assert [code for code, _, _ in ended] == [0, 0, 0], ended
    assert current(migrated) == [HEAD]


def test_the_json_of_a_run_and_a_refusal(migrated: Project) -> None:
    refused = migrated.invoke("reset-dev", "--json")
    done = migrated.invoke("reset-dev", "--json", "--yes")

    assert answer(refused.stdout)["error"]["kind"] == "refused"
    result = answer(done.stdout)["result"]
    assert (result["now"], result["reset"]["schemas"], len(result["applied"])) == ([HEAD], ["public"], 3)


def test_the_embedded_server_needs_no_question(project: Project) -> None:
    project.invoke("migrate")

    done = project.invoke("reset-dev")

    assert done.code == 0, done.stderr
    assert done.stdout.endswith(f" s, now at {HEAD}\n")
