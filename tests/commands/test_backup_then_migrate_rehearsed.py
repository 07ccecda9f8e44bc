"""`backup-then-migrate` with its rehearsal: what fails on the copy never reaches the database."""

from __future__ import annotations

import re
import signal

import pytest

from tests.commands.backing import names
from tests.commands.support import (
    HEAD,
    add_user,
    answer,
    current,
    finish,
    interrupt,
    launch,
    query,
    until,
    write_revision,
)
from tests.commands.test_rehearse import FILL, all_databases, all_running, hash_of_rows
from tests.servers import Project

NEXT, AFTER = "aaaa00000001", "aaaa00000002"


@pytest.fixture
def filled(migrated: Project) -> Project:
    """A project with rows in its database."""
    query(migrated, FILL)
    return migrated


def test_what_was_predicted_stands_beside_what_it_took(filled: Project) -> None:
    write_revision(filled, NEXT, "op.execute('select pg_sleep(0.5)')")

    done = filled.invoke("backup-then-migrate")

    assert done.code == 0, done.stderr
    assert "rehearsed 1 revision on a copy with 2,000 rows" in done.stderr
    predicted, took = re.findall(rf"^{NEXT}: predicted (\S+) s, took (\S+) s$", done.stdout, re.MULTILINE)[0]
    assert 0.5 <= float(predicted) < 1
    assert 0.5 <= float(took) < 1
    assert current(filled) == [NEXT]


def test_json_holds_the_rehearsal(filled: Project) -> None:
    write_revision(filled, NEXT, "op.execute('update users set display_name = email')")

    result = answer(filled.invoke("backup-then-migrate", "--json").stdout)["result"]

    (step,) = result["rehearsal"]["steps"]
    assert (step["revision"], step["rows"][0]["updated"]) == (NEXT, 2000)
    assert step["seconds"] > 0
    assert result["migrated"]["applied"][0]["seconds"] > 0


@pytest.mark.parametrize("flags", [["--no-rehearse"], ["--verify", "read"]], ids=" ".join)
def test_without_a_copy_there_is_no_rehearsal(filled: Project, flags: list[str]) -> None:
    write_revision(filled, NEXT, "op.execute('select 1')")

    done = filled.invoke("backup-then-migrate", *flags)

    assert done.code == 0, done.stderr
    assert "predicted" not in done.stdout
    assert ("not rehearsed: the backup was read back" in done.stderr) == ("--verify" in flags)
    assert current(filled) == [NEXT]


@pytest.mark.parametrize(
    ("upgrade", "said"),
    [
        ("op.execute('delete from users'); op.execute('select 1 / 0')", "failed at line 11: division by zero (22012)"),
        (
            "op.execute('alter table users add check (email <> display_name and length(email) > 15)')",
            "stand against it",
        ),
        ("import os; os._exit(9)", "the process that ran the rehearsal left the process with exit code 9"),
        ("import sys; sys.exit(0)", "the revision left the process (SystemExit: 0)"),
    ],
    ids=["error", "rows", "os._exit", "sys.exit"],
)
def test_what_fails_on_the_copy_stops_before_the_database(filled: Project, upgrade: str, said: str) -> None:
    """F106: rows by hash, revision and schema are as they were, and the backup is there."""
    write_revision(filled, NEXT, "op.execute(\"update users set display_name = 'changed'\")")
    write_revision(filled, AFTER, upgrade, down=NEXT)
    before = hash_of_rows(filled)

    done = filled.invoke("backup-then-migrate")

    (name,) = names(filled)
    assert done.code == 6, done.stderr
    assert said in done.stderr
    assert "was not touched" in done.stderr
    assert f"the backup is there: {name}" in done.stderr
    assert "to go back to" not in done.stderr
    assert (hash_of_rows(filled), current(filled)) == (before, [HEAD])


def test_a_revision_that_hangs_on_the_copy_is_stopped(filled: Project) -> None:
    """F106: it hangs in Python, where no server can end it."""
    write_revision(filled, NEXT, "while True: pass")
    filled.environment |= {"STILLROOM_STATEMENT_TIMEOUT_MS": "1000", "STILLROOM_LOCK_TIMEOUT_MS": "50"}

    done = filled.invoke("backup-then-migrate")

    assert done.code == 6, done.stderr
    assert "so it was stopped: the rehearsal was interrupted" in done.stderr
    assert "was not touched; the backup is there: " in done.stderr
    assert current(filled) == [HEAD]


def test_an_interrupted_rehearsal_starts_nothing_and_drops_the_copy(filled: Project) -> None:
    write_revision(filled, NEXT, "op.execute('select pg_sleep(60)')")
    before = all_databases(filled)
    process = launch(filled, "backup-then-migrate")
    until(lambda: all_running(filled, "pg_sleep(60)"))

    stopped = interrupt(process, signal.SIGTERM)

    assert stopped.code == 130
    assert "was not touched; the backup is there: " in stopped.stderr
    assert current(filled) == [HEAD]
    assert all_databases(filled) <= before


def test_an_effect_on_the_whole_server_is_refused_and_can_be_run_without_rehearsal(filled: Project) -> None:
    role = f"made_{filled.path.parent.name[-8:]}"
    write_revision(filled, NEXT, f"op.execute('create role \"{role}\"')")

    refused = filled.invoke("backup-then-migrate")
    was_there = query(filled, "select 1 from pg_roles where rolname = %s", role)
    done = filled.invoke("backup-then-migrate", "--no-rehearse")
    is_there = query(filled, "select 1 from pg_roles where rolname = %s", role)
    query(filled, f'drop role "{role}"')

    assert refused.code == 3, refused.stderr
    assert f"{NEXT}: CREATE ROLE reaches past a scratch database on the same server" in refused.stderr
    assert "`invoke backup-then-migrate --no-rehearse`" in refused.stderr
    assert (was_there, done.code, is_there) == ([], 0, [(1,)])


def test_the_copy_resolves_names_as_the_database_does(filled: Project) -> None:
    """The path belongs to the database, and a copy is another one."""
    query(filled, "create schema shop; create table shop.goods ()")
    query(
        filled,
        "do $$ begin execute format('alter database %I set search_path = public, shop', current_database()); end $$",
    )
    write_revision(filled, NEXT, "op.execute('alter table goods add column price int')")

    done = filled.invoke("backup-then-migrate")

    assert done.code == 0, done.stderr
    assert current(filled) == [NEXT]


def test_two_at_once_rehearse_and_migrate_once(filled: Project) -> None:
    write_revision(filled, NEXT, "op.create_table('extra', sa.Column('id', sa.Integer))")

    ended = [finish(each, 120) for each in [launch(filled, "backup-then-migrate") for _ in range(2)]]

    assert [code for code, _, _ in ended] == [0, 0], [stderr for _, _, stderr in ended]
    assert sum(stderr.count("rehearsed 1 revision") for _, _, stderr in ended) == 1
    assert len(names(filled)) == 1


def test_rows_that_die_are_said_before_they_do(migrated: Project) -> None:
    for each in range(3):
        add_user(migrated, f"user{each}@example.com")
    write_revision(migrated, "aaaa00000009", "op.execute('delete from users')")

    done = migrated.invoke("backup-then-migrate")
    (name,) = names(migrated)
    back = migrated.invoke("restore", name, "--yes")

    assert done.code == 0, done.stderr
    assert "note:  aaaa00000009 deletes 3 rows of public.users" in done.stderr
    assert (
        "it was at aaaa00000009, which is pending again: correct that before the next `invoke migrate`" in back.stdout
    )
