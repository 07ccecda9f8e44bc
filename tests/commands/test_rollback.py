"""`rollback`: revisions are undone, in order, and nothing else."""

from __future__ import annotations

import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    answer,
    current,
    finish,
    has_table,
    holding_lock,
    launch,
    query,
    set_mark,
    write_revision,
)
from tests.servers import Project

LEFT, RIGHT, MERGE = "aaaa00000001", "bbbb00000001", "cccc00000001"


def test_the_last_revision_is_undone(migrated: Project) -> None:
    done = migrated.invoke("rollback")

    assert done.code == 0, done.stderr
    assert done.stderr.startswith(f"  - {HEAD}  index open tasks by due date  ")
    assert done.stdout.endswith(f" s, now at {TIMEZONE}\n")
    assert current(migrated) == [TIMEZONE]


def test_migrate_after_rollback_is_where_it_was(migrated: Project) -> None:
    migrated.invoke("rollback", "--target", "base", "--yes")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert migrated.invoke("check").code == 0


def test_the_plan_shows_sql_and_losses_and_touches_nothing(migrated: Project) -> None:
    done = migrated.invoke("rollback", "--steps", "2", "--plan")

    assert done.code == 0, done.stderr
    assert "DROP INDEX CONCURRENTLY ix_tasks_open_due_at" in done.stdout
    assert "ALTER TABLE users DROP COLUMN timezone" in done.stdout
    assert (
        f"-- {TIMEZONE}  add user timezone\n-- locks: users ACCESS EXCLUSIVE (blocks reads and writes)\n" in done.stdout
    )
    assert (
        "-- locks: the table of ix_tasks_open_due_at SHARE UPDATE EXCLUSIVE (blocks schema changes only)\n"
        in done.stdout
    )
    assert done.stdout.endswith(f"2 revisions would be undone, down to {INITIAL}; nothing was touched\n")
    assert current(migrated) == [HEAD]


@pytest.mark.parametrize(
    ("flags", "ends_at"),
    [
        (["--steps", "2"], [INITIAL]),
        (["--target", INITIAL], [INITIAL]),
        (["--target", "3f9c"], [INITIAL]),
        (["--target", "base"], []),
        (["--steps", "3"], []),
    ],
    ids=["steps", "target", "part of an id", "base", "all steps"],
)
def test_where_it_ends(migrated: Project, flags: list[str], ends_at: list[str]) -> None:
    """F101."""
    done = migrated.invoke("rollback", *flags, "--yes")

    assert done.code == 0, done.stderr
    assert current(migrated) == ends_at


def test_going_back_to_a_target_twice_does_nothing_the_second_time(migrated: Project) -> None:
    migrated.invoke("rollback", "--target", TIMEZONE)

    done = migrated.invoke("rollback", "--target", TIMEZONE)

    assert (done.code, done.stderr) == (0, "")
    assert done.stdout.endswith(f"nothing to do, at {TIMEZONE}\n")


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--steps", "0"], 2, "--steps is '0', not a number from 1"),
        (["--steps", "two"], 2, "--steps is 'two', not a number from 1"),
        (["--steps", "1", "--target", "base"], 2, "--steps and --target both say where to end"),
        (["--steps", "9"], 3, f"only 3 of 9 steps are clear: {INITIAL} is the first revision"),
        (["--target", "fade"], 3, "revision 'fade' is not in the history"),
        (["--allow", "everything"], 2, "there is no danger named 'everything'"),
    ],
    ids=["no steps", "a word", "both", "too many", "unknown", "no such danger"],
)
def test_what_cannot_be_meant_is_refused(migrated: Project, flags: list[str], code: int, said: str) -> None:
    """F101: past the first revision as well."""
    done = migrated.invoke("rollback", *flags)

    assert (done.code, said in done.stderr) == (code, True), done.stderr
    assert current(migrated) == [HEAD]


def test_nothing_applied_is_refused(project_on_database: Project) -> None:
    """F101."""
    done = project_on_database.invoke("rollback")

    assert done.code == 3
    assert "nothing is applied, there is nothing to roll back" in done.stderr


def test_several_heads_are_named_and_ask_for_a_target(migrated: Project) -> None:
    """F101."""
    for id_, name in ((LEFT, "lefts"), (RIGHT, "rights")):
        write_revision(
            migrated,
            id_,
            f"op.create_table('{name}', sa.Column('id', sa.Integer))",
            downgrade=f"op.drop_table('{name}')",
        )
    migrated.invoke("migrate", "--target", "heads")

    refused = migrated.invoke("rollback")
    done = migrated.invoke("rollback", "--target", HEAD, "--yes")

    assert refused.code == 3
    assert f"the database has several heads: {LEFT}, {RIGHT}" in refused.stderr
    assert "--target" in refused.stderr
    assert done.code == 0, done.stderr
    assert current(migrated) == [HEAD]
    assert not has_table(migrated, "lefts")


def test_a_merge_is_undone_into_its_parents(migrated: Project) -> None:
    for id_ in (LEFT, RIGHT):
        write_revision(migrated, id_, "op.execute('select 1')", downgrade="op.create_table_comment('users', 'x')")
    write_revision(migrated, MERGE, "pass", down=(LEFT, RIGHT))
    migrated.invoke("migrate")

    done = migrated.invoke("rollback")

    assert done.code == 0, done.stderr
    assert current(migrated) == [LEFT, RIGHT]


@pytest.mark.parametrize("downgrade", ["pass", "'''Nothing.'''"], ids=["pass", "docstring"])
def test_an_empty_downgrade_of_a_step_that_did_something_is_refused(migrated: Project, downgrade: str) -> None:
    path = write_revision(migrated, LEFT, "op.create_table('lefts', sa.Column('id', sa.Integer))", downgrade=downgrade)
    migrated.invoke("migrate")

    done = migrated.invoke("rollback", "--yes")

    assert done.code == 3
    assert f"{path}: downgrade() is empty and upgrade() is not, so nothing would be undone" in done.stderr
    assert current(migrated) == [LEFT]


def test_a_missing_downgrade_is_refused(migrated: Project) -> None:
    path = write_revision(migrated, LEFT, "pass")
    migrated.invoke("migrate")
    file = migrated.path / path
    file.write_text(file.read_text().split("def downgrade")[0])

    done = migrated.invoke("rollback", "--yes")

    assert done.code == 3
    assert f"{path} has no downgrade(), so there is no way back" in done.stderr


def test_an_empty_step_can_be_undone(migrated: Project) -> None:
    write_revision(migrated, LEFT, "pass")
    migrated.invoke("migrate")

    done = migrated.invoke("rollback")

    assert done.code == 0, done.stderr
    assert current(migrated) == [HEAD]


def test_it_fails_half_way_and_says_what_is_undone(migrated: Project) -> None:
    write_revision(migrated, LEFT, "op.execute('select 1')", downgrade="op.execute('select 1/0')")
    write_revision(
        migrated, MERGE, "op.create_table('x', sa.Column('id', sa.Integer))", down=LEFT, downgrade="op.drop_table('x')"
    )
    migrated.invoke("migrate")

    done = migrated.invoke("rollback", "--steps", "2", "--yes")

    assert done.code == 4
    assert (
        f"{LEFT} failed at line 15: division by zero (22012); it was rolled back; 1 of 2 undone, 0 not tried"
        in done.stderr
    )
    assert current(migrated) == [LEFT]


def test_it_waits_for_the_lock_and_names_who_holds_it(migrated: Project) -> None:
    with holding_lock(migrated, application="a deploy"):
        done = migrated.invoke("rollback", env={"STILLROOM_WAIT_S": "0.5"})

    assert done.code == 7
    assert "a deploy" in done.stderr
    assert current(migrated) == [HEAD]


def test_four_at_once_undo_one_revision(migrated: Project) -> None:
    ended = [finish(process) for process in [launch(migrated, "rollback") for _ in range(4)]]

    assert sorted(code for code, _, _ in ended) == [0, 3, 3, 3], ended
    assert current(migrated) == [TIMEZONE]


def test_an_unknown_current_revision_is_refused(migrated: Project) -> None:
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")

    done = migrated.invoke("rollback")

    assert done.code == 3
    assert "which has no file here" in done.stderr


def test_what_loses_nothing_is_allowed_on_a_protected_database(migrated: Project) -> None:
    set_mark(migrated, "production")

    done = migrated.invoke("rollback", env={"APP_ENV": "production"})

    assert done.code == 0, done.stderr


def test_the_json_of_a_run_a_plan_and_a_refusal(migrated: Project) -> None:
    planned = answer(migrated.invoke("rollback", "--steps", "2", "--plan", "--json").stdout)
    ran = answer(migrated.invoke("rollback", "--json").stdout)
    refused = migrated.invoke("rollback", "--json")

    assert planned["result"]["plan"]["ends_at"] == [INITIAL]
    assert [each["revision"] for each in ran["result"]["undone"]] == [HEAD]
    assert (refused.code, answer(refused.stdout)["error"]["exit_code"]) == (3, 3)
    assert answer(refused.stdout)["error"]["hint"] == "if that is meant: `invoke rollback --yes`"
