"""`rollback` counts what dies on the live database, and asks or refuses only then."""

from __future__ import annotations

import sys

import pexpect
import pytest

from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    add_user,
    answer,
    current,
    has_table,
    in_transaction,
    query,
    set_mark,
    write_revision,
)
from tests.servers import Project

STEP = "aaaa00000001"


def with_notes(project: Project, downgrade: str, *, rows: int = 3) -> None:
    """Add and apply a step that makes a table and a column, and fill both."""
    upgrade = (
        "op.create_table('notes', sa.Column('id', sa.Integer))\nop.add_column('users', sa.Column('nick', sa.Text))"
    )
    write_revision(project, STEP, upgrade, downgrade=downgrade)
    assert project.invoke("migrate").code == 0
    query(project, f"insert into notes select generate_series(1, {rows})")
    add_user(project)
    add_user(project, "grace@example.com")
    query(project, "update users set nick = 'ada' where email like 'ada%%'")


def losses(project: Project, *flags: str) -> list[tuple[str, int | None, bool]]:
    """What the plan says would be lost."""
    found = answer(project.invoke("rollback", "--plan", "--json", *flags).stdout)["result"]["losses"]
    return [(each["what"], each["count"], each["is_estimate"]) for each in found]


def test_rows_and_non_null_values_are_counted_on_live_rows(migrated: Project) -> None:
    """F100."""
    with_notes(migrated, "op.drop_table('notes')\nop.drop_column('users', 'nick')")

    found = losses(migrated)

    assert found == [("table notes", 3, False), ("column users.nick", 1, False)]


@pytest.mark.parametrize(
    ("downgrade", "what", "count"),
    [
        ("with op.batch_alter_table('users') as batch:\n    batch.drop_column('nick')", "column users.nick", 1),
        ("sa.Table('notes', sa.MetaData()).drop(op.get_bind())", "table notes", 3),
        ("op.execute('drop table notes')", "SQL: drop table notes", None),
        ("op.get_bind().execute(sa.text('delete from notes'))", "SQL: delete from notes", None),
        ("op.execute(sa.delete(sa.table('notes')))", "SQL: DELETE FROM notes", None),
        ("op.drop_table('notes', schema='public')", "table notes", 3),
        ("op.rename_table('notes', 'jottings')\nop.drop_table('jottings')", "table jottings", None),
        (
            "for row in op.get_bind().execute(sa.text('select 1')):\n    pass",
            f"revision {STEP}: TypeError: 'NoneType' object is not iterable",
            None,
        ),
    ],
    ids=[
        "batch",
        "Table.drop",
        "raw drop",
        "raw on the connection",
        "delete",
        "schema",
        "renamed first",
        "needs a connection",
    ],
)
def test_each_way_to_lose_something_is_seen(migrated: Project, downgrade: str, what: str, count: int | None) -> None:
    with_notes(migrated, downgrade)

    found = losses(migrated)

    assert (what, count, False) in found


def test_what_a_step_of_the_same_plan_made_loses_nothing(migrated: Project) -> None:
    write_revision(
        migrated,
        STEP,
        "op.drop_table('archive')",
        downgrade="op.create_table('archive', sa.Column('id', sa.Integer))\nop.drop_table('archive')",
    )
    query(migrated, "create table archive ()")
    migrated.invoke("migrate")

    found = losses(migrated)

    assert found == []


def test_dropping_a_type_and_an_index_loses_nothing(migrated: Project) -> None:
    upgrade = "sa.Enum('a', name='mood').create(op.get_bind())\nop.create_index('ix_x', 'users', ['email'])"
    write_revision(migrated, STEP, upgrade, downgrade="op.drop_index('ix_x')\nsa.Enum(name='mood').drop(op.get_bind())")
    migrated.invoke("migrate")

    done = migrated.invoke("rollback")

    assert done.code == 0, done.stderr
    assert query(migrated, "select 1 from pg_type where typname = 'mood'") == []


def test_a_count_that_takes_over_a_second_becomes_an_estimate_and_says_so(migrated: Project) -> None:
    with_notes(migrated, "op.drop_table('notes')", rows=1000)
    query(migrated, "analyze notes")

    with in_transaction(migrated, "lock table notes"):
        done = migrated.invoke("rollback", "--plan")

    assert "would lose table notes: about 1,000 rows (estimate)" in done.stdout


def test_a_table_that_was_never_analyzed_cannot_be_estimated(migrated: Project) -> None:
    with_notes(migrated, "op.drop_table('notes')")

    with in_transaction(migrated, "lock table notes"):
        done = migrated.invoke("rollback", "--plan")

    assert "would lose table notes: cannot be counted" in done.stdout


def test_without_a_terminal_what_loses_something_is_refused(migrated: Project) -> None:
    """F57, F100."""
    with_notes(migrated, "op.drop_table('notes')")

    refused = migrated.invoke("rollback")
    done = migrated.invoke("rollback", "--yes")

    assert refused.code == 3
    assert f"to undo: {STEP}  a step\nloses:   table notes: 3 rows\n" in refused.stderr
    assert "error: this loses table notes: 3 rows, and nobody is there to be asked\n" in refused.stderr
    assert refused.stderr.endswith("hint:  if that is meant: `invoke rollback --yes`\n")
    assert done.code == 0, done.stderr
    assert not has_table(migrated, "notes")


def test_an_empty_table_needs_no_question(migrated: Project) -> None:
    with_notes(migrated, "op.drop_table('notes')", rows=0)

    done = migrated.invoke("rollback")

    assert done.code == 0, done.stderr


@pytest.mark.parametrize("mark", ["production", "staging", None], ids=["production", "staging", "unknown"])
def test_a_protected_database_refuses_until_the_danger_is_named(migrated: Project, mark: str | None) -> None:
    """F100."""
    with_notes(migrated, "op.drop_table('notes')")
    set_mark(migrated, mark)
    env = {"APP_ENV": mark or ""}

    refused = migrated.invoke("rollback", "--yes", env=env)
    plan = migrated.invoke("rollback", "--plan", env=env)
    done = migrated.invoke("rollback", "--yes", "--allow", "data-loss", env=env)

    assert refused.code == 3
    assert "rollback that loses rows or values: the database is protected" in refused.stderr
    assert "`invoke rollback --allow data-loss`" in refused.stderr
    assert plan.code == 0, plan.stderr
    assert done.code == 0, done.stderr


def test_a_long_statement_is_shortened_and_said_to_be_uncountable(migrated: Project) -> None:
    done = migrated.invoke("rollback", "--steps", "2")

    assert done.code == 3
    assert (
        "loses:   SQL: update users set settings = settings || jsonb_build_object('timezone', timezone)…: cannot be counted"
        in done.stderr
    )


def asked(project: Project, reply: str) -> tuple[int, str]:
    """Run a rollback in a terminal and answer its question."""
    args = ["-m", "invoke", "rollback", "--steps", "2"]
    child = pexpect.spawn(
        sys.executable, args, cwd=str(project.path), env=project.full_environment(), encoding="utf-8", timeout=20
    )
    child.expect(r"undo, and lose that\? \[y/N\] ")
    child.sendline(reply)
    rest = child.read()
    child.close()
    return child.exitstatus or 0, rest


def test_in_a_terminal_yes_undoes(migrated: Project) -> None:
    code, rest = asked(migrated, "y")

    assert code == 0, rest
    assert current(migrated) == [INITIAL]


@pytest.mark.parametrize("reply", ["n", "", "what?", "Yes please"], ids=["n", "return", "what", "polite"])
def test_in_a_terminal_anything_else_touches_nothing(migrated: Project, reply: str) -> None:
    code, rest = asked(migrated, reply)

    assert code == 3
    assert "answered no; nothing was touched" in rest
    assert current(migrated) == [HEAD]


def test_ci_on_a_terminal_is_nobody_to_ask(migrated: Project) -> None:
    """F57."""
    migrated.invoke("rollback")
    done = migrated.invoke("rollback", env={"CI": "true"})

    assert done.code == 3
    assert current(migrated) == [TIMEZONE]


def test_an_index_and_a_check_that_are_made_anew_are_no_loss(migrated: Project) -> None:
    """F100."""
    around = (
        "op.execute('DROP INDEX ix_low')\nop.execute('ALTER TABLE users DROP CONSTRAINT ck_low')\n"
        "op.execute(\"ALTER TABLE users ADD CONSTRAINT ck_low CHECK (email <> 'a, b')\")\n"
        "op.execute('CREATE INDEX ix_low ON users USING btree (lower(email))')"
    )
    query(migrated, "create index ix_low on users (lower(email))")
    query(migrated, "alter table users add constraint ck_low check (email <> 'a')")
    write_revision(migrated, STEP, around, downgrade=around)
    assert migrated.invoke("migrate").code == 0

    assert losses(migrated) == []
    assert migrated.invoke("rollback", "--yes").code == 0
