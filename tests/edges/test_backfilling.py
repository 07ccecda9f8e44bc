"""`stillroom.backfill`: rows changed in batches, in revisions."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.commands.support import HEAD, current, database_of, finish, launch, query, running, until, write_revision
from tests.servers import Project

STEP = "aaaa00000001"
IMPORT = "from stillroom import backfill\n"


def filled(project: Project, definition: str, rows: str) -> None:
    """A table `wide` with some rows."""
    query(project, f"create table wide ({definition}, done int not null default 0); insert into wide {rows}")


def totals(project: Project) -> tuple[int, int, int]:
    """How many rows there are, and how often the least and the most often changed were."""
    (found,) = query(project, "select count(*), min(done), max(done) from wide")
    return found[0], found[1], found[2]


@pytest.mark.parametrize(
    ("definition", "rows", "key"),
    [
        ("id bigint primary key", "select g from generate_series(-50, 449) g", "id"),
        ("id uuid primary key", "select gen_random_uuid() from generate_series(1, 500)", "id"),
        ("name text primary key", "select 'it''s ' || g from generate_series(1, 500) g", "name"),
        (
            '"Key" timestamptz not null unique',
            "select now() + g * interval '1 ms' from generate_series(1, 500) g",
            "Key",
        ),
        ("id numeric(8, 2) not null unique", "select g / 4.0 from generate_series(1, 500) g", "id"),
    ],
    ids=["numbers", "uuid", "text", "moments", "decimals"],
)
def test_every_row_is_changed_once_along_any_kind_of_key(
    migrated: Project, definition: str, rows: str, key: str
) -> None:
    filled(migrated, definition, rows)
    write_revision(migrated, STEP, IMPORT + f"backfill('public.wide', 'done = done + 1', key={key!r}, rows=7)")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert totals(migrated) == (500, 1, 1)
    assert "  wide: 500 rows changed, " in done.stderr


@pytest.mark.parametrize("rows", [0, 10, 11])
def test_no_rows_and_batches_that_come_out_even(migrated: Project, rows: int) -> None:
    filled(migrated, "id int primary key", f"select g from generate_series(1, {rows}) g")
    write_revision(migrated, STEP, IMPORT + f"assert backfill('wide', 'done = done + 1', rows=5) == {rows}")

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert query(migrated, "select count(*) from wide where done = 1") == [(rows,)]


def test_only_the_wanted_rows_and_what_stands_around_it(migrated: Project) -> None:
    """In an autocommit block or out of one, and in a downgrade."""
    filled(migrated, "id int primary key", "select g from generate_series(1, 100) g")
    write_revision(
        migrated,
        STEP,
        IMPORT
        + "op.execute('create table before ()')\nbackfill('wide', 'done = done + 1', where='id % 2 = 0', rows=9)\n"
        + "with op.get_context().autocommit_block():\n    backfill('wide', \"done = done + 10\", where='id <= 10', rows=3)\n"
        + "op.execute('create table after ()')",
        downgrade=IMPORT + "backfill('wide', 'done = 0', rows=30)\nop.execute('drop table before, after')",
    )

    assert migrated.invoke("migrate").code == 0
    assert query(migrated, "select count(*), sum(done) from wide where id % 2 = 0") == [(50, 50 + 50)]
    assert query(migrated, "select count(*), sum(done) from wide where id % 2 = 1") == [(50, 50)]
    done = migrated.invoke("rollback", "--yes")

    assert done.code == 0, done.stderr
    assert totals(migrated) == (100, 0, 0)


@pytest.mark.parametrize(
    ("definition", "key", "said"),
    [
        ("id int", "id", 'id of "wide" is not NOT NULL with a unique index of its own; name such a column as key='),
        (
            "id int not null, n int not null, primary key (id, n)",
            "id",
            "is not NOT NULL with a unique index of its own",
        ),
        ("id int unique", "id", "is not NOT NULL with a unique index of its own"),
        ("id int primary key", "nosuch", 'there is no column nosuch in "wide"'),
    ],
    ids=["no index", "two columns", "may be null", "no column"],
)
def test_a_key_along_which_rows_could_be_passed_over_is_refused(
    migrated: Project, definition: str, key: str, said: str
) -> None:
    query(migrated, f"create table wide ({definition}, done int)")
    write_revision(migrated, STEP, IMPORT + f"backfill('wide', 'done = 1', key={key!r})")

    done = migrated.invoke("migrate")

    assert done.code == 4
    assert said in done.stderr
    assert current(migrated) == [HEAD]


def test_a_plan_shows_it_as_one_statement(migrated: Project) -> None:
    write_revision(migrated, STEP, IMPORT + "backfill('users', \"timezone = 'UTC'\", where='timezone is null')")

    done = migrated.invoke("migrate", "--plan")

    assert done.code == 0, done.stderr
    assert "-- in batches of 1000 rows, by id" in done.stdout
    assert "UPDATE \"users\" SET timezone = 'UTC' WHERE timezone is null;" in done.stdout


def test_a_plan_shows_values_with_colons_as_they_are_sent(migrated: Project) -> None:
    value = """'{"a":true, "b": "x:y"}'::jsonb"""
    write_revision(migrated, STEP, IMPORT + f"backfill('users', {f'settings = {value}'!r})")

    planned, sql = migrated.invoke("migrate", "--plan"), migrated.alembic("upgrade", f"{HEAD}:head", "--sql")
    done = migrated.invoke("migrate")

    for each in (planned.stdout, sql.stdout):
        assert f'UPDATE "users" SET settings = {value} WHERE true;' in each
    assert done.code == 0, done.stderr


def test_a_locked_row_is_waited_for_and_other_rows_stay_free(migrated: Project) -> None:
    filled(migrated, "id int primary key", "select g from generate_series(1, 100) g")
    write_revision(migrated, STEP, IMPORT + "backfill('wide', 'done = done + 1', rows=10)")
    with closing(database_of(migrated).connect()) as connection, connection.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("select 1 from wide where id = 55 for update")
        process = launch(migrated, "migrate")
        until(lambda: query(migrated, "select count(*) from wide where done = 1") == [(50,)])
        until(lambda: running(migrated, "with stillroom_batch%") or True)
        query(migrated, "set lock_timeout = '1s'; update wide set done = 100 where id in (1, 99)")

    code, _, stderr = finish(process)
    assert code == 0, stderr
    assert query(migrated, "select done, count(*) from wide group by 1 order by 1") == [(1, 98), (100, 1), (101, 1)]


def test_outside_of_a_revision_it_says_where_it_belongs(migrated: Project) -> None:
    import stillroom

    with pytest.raises(RuntimeError, match="revision"):
        stillroom.backfill("wide", "done = 1")
