"""What `--resume` must not do: repeat, adopt what is somebody else's, or be a way around what `migrate` refuses."""

from __future__ import annotations

import pytest

from tests.commands.support import HEAD, current, database_of, has_table, query, set_mark, write_revision
from tests.commands.test_migrate_protected import git
from tests.servers import Project

STEP = "aaaa00000001"
FAILS = "\nwith op.get_context().autocommit_block():\n    op.execute('create unique index concurrently ux on acc (n)')"


def half_done(project: Project, upgrade: str) -> None:
    """A step whose concurrent build has failed after `upgrade` was committed; the duplicate is gone since."""
    query(project, "create table acc (id int, n int, bal int default 100); insert into acc values (1, 1), (2, 1)")
    write_revision(project, STEP, upgrade + FAILS)
    assert project.invoke("migrate").code == 4
    query(project, "delete from acc where id = 2")


@pytest.mark.parametrize("why", ["a role that may not write it", "a newer schema"])
def test_without_a_ledger_to_write_nothing_is_gone_on_with(migrated: Project, why: str) -> None:
    """F40: what is done would be done again, and nobody would know."""
    half_done(migrated, "op.execute('update acc set bal = bal + 10')")
    if why == "a newer schema":
        query(migrated, "update stillroom.about set version = 99")
    else:
        role = f"app_{database_of(migrated).name}"
        query(
            migrated, f"create role {role} login; grant all on schema public to {role}; alter table acc owner to {role}"
        )
        query(migrated, f"alter table alembic_version owner to {role}; grant postgres to {role}")
        query(migrated, f"revoke postgres from {role}; alter database {database_of(migrated).name} owner to postgres")
        migrated.environment["DATABASE_URL"] = database_of(migrated).url.replace("//postgres@", f"//{role}@")

    tried = [migrated.invoke("migrate", "--resume", *words) for words in ([], ["--as", "undone"])]

    assert [each.code for each in tried] == [3, 3], [each.stderr for each in tried]
    assert query(migrated, "select bal from acc") == [(110,)]
    assert query(migrated, "select count(*) from stillroom.journal where closed_at is null") == [(1,)]


def test_a_long_change_that_returned_rows_is_not_repeated(migrated: Project) -> None:
    """F40: what it does is read from all of it, and not from what is shown."""
    long = "with " + ", ".join(f"part{number} as (select {number} as n)" for number in range(20))
    half_done(migrated, f"op.execute('{long} update acc set bal = bal + 10 from part1 returning acc.bal')")

    done = migrated.invoke("migrate", "--resume")

    assert done.code == 3, done.stderr
    assert "returned rows and changed others" in done.stderr
    assert query(migrated, "select bal from acc") == [(110,)]


def test_an_index_that_was_there_before_is_not_taken_for_its_own(migrated: Project) -> None:
    """F71: neither a good one on other columns, nor an invalid one of somebody else's."""
    query(
        migrated, "create table acc (id int, n int); insert into acc values (1, 1), (2, 1); create index ix on acc (n)"
    )
    with pytest.raises(Exception, match="could not create unique index"):
        query(migrated, "create unique index concurrently theirs on acc (n)")
    write_revision(
        migrated,
        STEP,
        "with op.get_context().autocommit_block():\n    op.execute('create table first ()')\n    op.execute('create index concurrently ix on acc (id)')",
    )
    first = migrated.invoke("migrate")
    resumed = migrated.invoke("migrate", "--resume")
    write_revision(
        migrated,
        STEP,
        "with op.get_context().autocommit_block():\n    op.execute('create table first ()')\n    op.execute('create index concurrently theirs on acc (id)')",
    )
    other = migrated.invoke("migrate", "--resume")
    again = migrated.invoke("migrate", "--resume")

    assert [each.code for each in (first, resumed, other, again)] == [4, 4, 4, 4]
    assert "dropping" not in other.stderr + again.stderr
    assert query(migrated, "select indisvalid from pg_index where indexrelid = 'theirs'::regclass") == [(False,)]
    assert current(migrated) == [HEAD]


def test_an_index_whose_name_the_server_chose_is_dropped_and_built_again(migrated: Project) -> None:
    """F71."""
    query(migrated, "create table acc (n int); insert into acc values (1), (1)")
    write_revision(
        migrated,
        STEP,
        "with op.get_context().autocommit_block():\n    op.execute('create unique index concurrently on acc (n)')",
    )
    failed = migrated.invoke("migrate")
    query(migrated, "delete from acc where ctid = (select min(ctid) from acc)")

    done = migrated.invoke("migrate", "--resume")

    assert failed.code == 4
    assert done.code == 0, done.stderr
    assert query(
        migrated, "select indexrelid::regclass::text, indisvalid from pg_index where indrelid = 'acc'::regclass"
    ) == [("acc_n_idx", True)]


def test_what_was_done_and_is_not_sent_any_more_is_refused(migrated: Project) -> None:
    half_done(migrated, "op.execute('create table zz (n int)')\nop.execute('insert into zz values (1)')")
    write_revision(migrated, STEP, "op.execute('create table zz (n int)')")

    done = migrated.invoke("migrate", "--resume")

    assert done.code == 4
    assert "statement 2, `insert into zz values (?)`, is missing" in done.stderr
    assert current(migrated) == [HEAD]


def test_it_is_no_way_around_what_migrate_refuses(migrated: Project) -> None:
    """Untracked files, a database emptied by hand, and tables without a version row: with or without `--resume`."""
    set_mark(migrated, "production")
    migrated.environment["APP_ENV"] = "production"
    git(migrated, "init", "-q")
    git(migrated, "add", ".")
    git(migrated, "commit", "-qm", "start")
    path = write_revision(migrated, STEP, "op.execute('create table first ()')")
    untracked = [migrated.invoke("migrate", "--resume"), migrated.alembic("upgrade", "head")]
    (migrated.path / path).unlink()
    query(migrated, "delete from alembic_version")
    lost = migrated.invoke("migrate", "--resume")
    query(migrated, "DROP SCHEMA public CASCADE; CREATE SCHEMA public;")
    emptied = migrated.invoke("migrate", "--resume")

    assert untracked[0].code == 3
    assert untracked[1].code != 0
    for each in untracked:
        assert "not committed as it is" in each.stderr + each.stdout
    assert (lost.code, emptied.code) == (3, 3)
    assert "no revision is applied, and tables" in lost.stderr
    assert "there is no table in it" in emptied.stderr
    assert not has_table(migrated, "first")


@pytest.mark.parametrize("words", [[], ["--as", "applied"], ["--as", "undone"]], ids=["resume", "applied", "undone"])
def test_a_step_without_a_file_here_is_refused_before_anything(migrated: Project, words: list[str]) -> None:
    half_done(migrated, "op.execute('create table zz (n int)')")
    for each in (migrated.path / "migrations/alembic/versions").glob(f"*{STEP}*"):
        each.unlink()

    done = migrated.invoke("migrate", "--resume", *words)

    assert done.code == 3, done.stderr
    assert f"{STEP} was cut short, and has no file here" in done.stderr
    assert "Traceback" not in done.stderr
    assert query(migrated, "select count(*) from stillroom.journal where closed_at is null") == [(1,)]
    assert query(migrated, "select count(*) from pg_index where not indisvalid") == [(1,)]


def test_a_ledger_that_is_switched_off_does_not_hide_a_step_that_was_cut_short(migrated: Project) -> None:
    half_done(migrated, "op.execute('update acc set bal = bal + 10')")

    done = migrated.invoke("migrate", env={"STILLROOM_LEDGER": "off"})

    assert done.code == 3
    assert query(migrated, "select bal from acc") == [(110,)]


def test_plain_alembic_enters_the_step_that_failed(migrated: Project) -> None:
    write_revision(migrated, STEP, "op.execute('select 1 / 0')")

    assert migrated.alembic("upgrade", "head").code != 0

    found = query(migrated, "select kind, outcome, revision, sqlstate from stillroom.ledger order by id desc limit 2")
    assert found == [("run", "failed", "", "22012"), ("step", "failed", STEP, "22012")]
