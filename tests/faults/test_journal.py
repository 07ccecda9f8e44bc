"""Steps that commit as they go, killed, cut and failed: the next run shows what is there, and `--resume` brings the rest once."""

from __future__ import annotations

import random
import signal
import sys
import time

import pytest

from tests.commands.support import HEAD, current, finish, has_table, launch, query, until, write_revision
from tests.counting import Counted
from tests.faults.rows import advisory_locks
from tests.faults.test_kills import IN_AUTOCOMMIT, KILLED_AT, announced_seams, kill
from tests.servers import Database, Project, Server

STEP = "aaaa00000001"
ROWS = 3000
LONG = """
from stillroom import backfill

op.execute("create table wide (id int primary key, n int, done int not null default 0)")
op.execute("insert into wide select g, g from generate_series(1, 3000) g")
with op.get_context().autocommit_block():
    op.create_index("ix_wide_n", "wide", ["n"], postgresql_concurrently=True)
    op.execute("insert into wide values (0, 0)")
    op.execute("vacuum wide")
backfill("wide", "done = done + 1", rows=100, pause_s={pause})
op.execute("alter table wide add column late int")
"""
BACK = """
with op.get_context().autocommit_block():
    op.execute("drop index concurrently ix_wide_n")
    op.execute("delete from wide where id = 0")
op.execute("drop table wide")
"""


def long_step(project: Project, *, pause: float = 0.0) -> None:
    """A table with rows, an index built concurrently, and every row changed once in 31 batches."""
    write_revision(project, STEP, LONG.format(pause=pause), downgrade=BACK)


def require_done_once(project: Project) -> None:
    """Everything of the step is there, and no row was changed twice."""
    assert current(project) == [STEP]
    assert query(project, "select count(*), min(done), max(done) from wide") == [(ROWS + 1, 1, 1)]
    assert query(project, "select indisvalid from pg_index where indexrelid = 'ix_wide_n'::regclass") == [(True,)]
    assert query(
        project, "select count(*) from pg_attribute where attrelid = 'wide'::regclass and attname = 'late'"
    ) == [(1,)]
    assert query(project, "select count(*) from stillroom.journal where closed_at is null") == [(0,)]
    assert query(
        project, "select count(*) from stillroom.ledger where revision = %s and outcome = 'applied'", STEP
    ) == [(1,)]


def finish_by_reruns(project: Project) -> int:
    """Type what is said until it is done; return how often a run was refused."""
    for refusals in range(4):
        done = project.invoke("migrate")
        if done.code == 0:
            return refusals
        assert done.code == 3, done.stderr
        assert "`invoke migrate --resume`" in done.stderr
        resumed = project.invoke("migrate", "--resume")
        assert resumed.code == 0, resumed.stderr
    raise AssertionError("it is never done")


def killed_in_the_middle(project: Project, chance: random.Random) -> bool:
    """Run what is to be typed next, and kill it at some moment; tell whether it was still at work."""
    is_open = query(project, "select 1 from stillroom.journal where closed_at is null")
    process = launch(project, "migrate", *(["--resume"] if is_open else []))
    until(lambda: advisory_locks(project) or process.poll() is not None)
    time.sleep(chance.uniform(0.0, 1.2))
    was_at_work = process.poll() is None
    kill(process, chance.choice(["parent", "child", "both"]))
    finish(process)
    until(lambda: advisory_locks(project) == 0, within_s=10)
    return was_at_work


@pytest.mark.parametrize("name", sorted(IN_AUTOCOMMIT))
def test_killed_at_a_seam_it_is_finished_by_what_is_said(migrated: Project, name: str) -> None:
    """F40, F53, K2: each point of a step that commits as it goes."""
    long_step(migrated)

    killed = migrated.run(sys.executable, "-c", KILLED_AT.format(name=name), "migrate")

    assert killed.code in {4, -signal.SIGKILL}, (killed.stdout, killed.stderr)
    until(lambda: advisory_locks(migrated) == 0, within_s=5)
    assert current(migrated) == [HEAD]
    finish_by_reruns(migrated)
    require_done_once(migrated)


def test_every_such_seam_is_there() -> None:
    assert set(announced_seams()) >= IN_AUTOCOMMIT


def test_killed_at_random_times_every_row_is_done_once(
    project: Project, server: Server, template: Database, rounds: int, counted: Counted
) -> None:
    """F40, F53: 30 batches and a concurrent index; killed, and the reruns killed again."""
    seed = random.randrange(10**6)
    chance, wanted = random.Random(seed), rounds * 10 if rounds > 10 else rounds
    kills = trials = left_open = 0
    long_step(project, pause=0.01)
    while kills < wanted:
        database = server.make_database(template=template.name)
        project.database, project.environment["DATABASE_URL"] = database, database.url
        trials += 1
        while chance.random() < 0.7:
            kills += killed_in_the_middle(project, chance)
            left_open += len(query(project, "select 1 from stillroom.journal where closed_at is null"))
        finish_by_reruns(project)
        require_done_once(project)
        database.drop()
    counted(
        f"{kills} kills in a backfill of 31 batches and a concurrent build (seed {seed}), {left_open} of them in the middle of "
        f"the step: {trials} databases, each row done once; 0 failures"
    )


def test_a_way_back_that_was_cut_short_is_gone_on_with(migrated: Project) -> None:
    """F40: the downgrade is refused to be repeated, and resumed by the same words."""
    long_step(migrated)
    assert migrated.invoke("migrate").code == 0

    killed = migrated.run(sys.executable, "-c", KILLED_AT.format(name="statement done"), "rollback", "--yes")
    until(lambda: advisory_locks(migrated) == 0, within_s=5)
    refused = [migrated.invoke(*words) for words in (["migrate"], ["rollback", "--yes"])]
    done = migrated.invoke("migrate", "--resume")

    assert killed.code in {4, -signal.SIGKILL}
    assert [each.code for each in refused] == [3, 3], [each.stderr for each in refused]
    assert "was cut short in its downgrade" in refused[0].stderr
    assert "  done: DROP INDEX" not in refused[0].stderr
    assert "  done: drop index concurrently ix_wide_n" in refused[0].stderr
    assert done.code == 0, done.stderr
    assert current(migrated) == [HEAD]
    assert not has_table(migrated, "wide")


def test_a_cut_connection_in_a_concurrent_build_leaves_an_index_that_resume_drops(migrated: Project) -> None:
    """F71: exactly the index that was being built; another invalid one stays."""
    query(migrated, "create table other (n int); insert into other values (1), (1)")
    with pytest.raises(Exception, match="could not create unique index"):
        query(migrated, "create unique index concurrently ux_other on other (n)")
    write_revision(
        migrated,
        STEP,
        "op.execute('create table dup (n int)')\nop.execute('insert into dup values (1), (1)')\n"
        "with op.get_context().autocommit_block():\n    op.create_index('ux_dup', 'dup', ['n'], unique=True, postgresql_concurrently=True)",
    )

    failed = migrated.invoke("migrate")
    refused = migrated.invoke("migrate")
    query(migrated, "delete from dup where ctid = (select min(ctid) from dup)")
    done = migrated.invoke("migrate", "--resume")

    assert failed.code == 4
    assert "it left the invalid index public.ux_dup" in failed.stderr
    assert "`invoke migrate --resume` drops it and builds it again" in failed.stderr
    assert refused.code == 3
    assert "  invalid: CREATE UNIQUE INDEX CONCURRENTLY ux_dup ON dup (n)" in refused.stderr
    assert "drops the invalid index public.ux_dup and goes on" in refused.stderr
    assert done.code == 0, done.stderr
    assert "dropping the invalid index public.ux_dup, which aaaa00000001 was building" in done.stderr
    assert query(migrated, "select indisvalid from pg_index where indexrelid = 'ux_dup'::regclass") == [(True,)]
    assert query(migrated, "select indisvalid from pg_index where indexrelid = 'ux_other'::regclass") == [(False,)]


def test_if_not_exists_over_an_invalid_index_still_fails(migrated: Project) -> None:
    """F72: uniqueness is not taken for granted because a name is there."""
    write_revision(
        migrated,
        STEP,
        "op.execute('create table if not exists dup (n int)')\nop.execute('insert into dup values (1), (1)')\n"
        "with op.get_context().autocommit_block():\n    op.execute('create unique index concurrently if not exists ux_dup on dup (n)')",
    )

    codes = [
        migrated.invoke("migrate").code,
        migrated.invoke("migrate", "--resume").code,
        migrated.invoke("migrate", "--resume").code,
    ]

    assert codes == [4, 4, 4]
    assert current(migrated) == [HEAD]


def test_a_step_that_failed_before_anything_was_there_runs_anew(migrated: Project) -> None:
    """No false refusal: a typing error in a concurrent build is corrected, and the same command goes on."""
    text = "with op.get_context().autocommit_block():\n    op.execute('create index concurrently ix on {} (email)')"
    write_revision(migrated, STEP, text.format("no_such_table"))
    failed = migrated.invoke("migrate")
    write_revision(migrated, STEP, text.format("users"))

    done = migrated.invoke("migrate")

    assert (failed.code, done.code) == (4, 0), done.stderr


def test_a_step_that_no_longer_sends_what_it_has_done_is_refused(migrated: Project) -> None:
    body = "with op.get_context().autocommit_block():\n    op.execute('create table {} (n int)')\n    op.execute('select 1 / {}')"
    write_revision(migrated, STEP, body.format("first", 0))
    failed = migrated.invoke("migrate")
    write_revision(migrated, STEP, body.format("second", 1))

    changed = migrated.invoke("migrate", "--resume")
    write_revision(migrated, STEP, body.format("first", 1))
    done = migrated.invoke("migrate", "--resume")

    assert failed.code == 4
    assert "`invoke migrate --resume` goes on after what was done" in failed.stderr
    assert changed.code == 4
    assert (
        "it does not send what an earlier try has done: statement 1 was `create table first (n int)`" in changed.stderr
    )
    assert not has_table(migrated, "second")
    assert done.code == 0, done.stderr


@pytest.mark.parametrize(("outcome", "ends_at"), [("applied", STEP), ("undone", HEAD)])
def test_it_is_settled_by_hand(migrated: Project, outcome: str, ends_at: str) -> None:
    """F40."""
    write_revision(
        migrated,
        STEP,
        "with op.get_context().autocommit_block():\n    op.execute('create table first (n int)')\n    op.execute('select 1 / 0')",
    )
    assert migrated.invoke("migrate").code == 4

    done = migrated.invoke("migrate", "--resume", "--as", outcome)
    again = migrated.invoke("migrate", "--resume", "--as", outcome)

    assert done.code == 0, done.stderr
    assert f"settled as {outcome}, nothing was run; at {ends_at}" in done.stdout
    assert again.code == 3
    assert "there is nothing to settle" in again.stderr
    assert current(migrated) == [ends_at]
    assert query(migrated, "select outcome, revision from stillroom.ledger where kind = 'settlement'") == [
        (outcome, STEP)
    ]
    assert migrated.invoke("ledger.verify").code == 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "insert into users (email, display_name) values ('a@b.c', 'A') returning id",
            "returned rows and changed others",
        ),
        ("call slow()", "it cannot be told what became of"),
    ],
    ids=["returning", "a procedure"],
)
def test_what_cannot_be_told_is_not_repeated(migrated: Project, statement: str, said: str) -> None:
    query(migrated, "create procedure slow() language plpgsql as $$ begin commit; perform pg_sleep(60); end $$")
    write_revision(
        migrated,
        STEP,
        f"with op.get_context().autocommit_block():\n    op.execute(\"{statement}\")\n    op.execute('select pg_sleep(60)')",
    )
    process = launch(migrated, "migrate")
    until(
        lambda: query(
            migrated, "select 1 from pg_stat_activity where query like '%%pg_sleep(60)%%' or query like 'call slow%%'"
        )
    )
    until(lambda: query(migrated, "select 1 from stillroom.journal where closed_at is null"))
    until(lambda: query(migrated, "select 1 from pg_stat_activity where wait_event = 'PgSleep'"))
    kill(process, "both")
    finish(process)
    until(lambda: advisory_locks(migrated) == 0, within_s=10)

    done = migrated.invoke("migrate", "--resume")

    assert done.code == 3, done.stderr
    assert said in done.stderr
    assert "`invoke migrate --resume --as applied`" in done.stderr


def test_status_plain_alembic_and_the_backup_see_it(migrated: Project) -> None:
    write_revision(
        migrated,
        STEP,
        "with op.get_context().autocommit_block():\n    op.execute('create table first (n int)')\n    op.execute('select 1 / 0')",
    )
    assert migrated.invoke("migrate").code == 4

    status, plain, backed = (
        migrated.invoke("status"),
        migrated.alembic("upgrade", "head"),
        migrated.invoke("backup-then-migrate"),
    )

    assert migrated.invoke("migrate", "--plan").code == 0
    assert f"open      {STEP} was cut short: `invoke migrate --resume`" in status.stdout
    assert plain.code != 0
    assert "was cut short in its upgrade, and part of it is committed" in plain.stdout + plain.stderr
    assert backed.code == 3
    assert migrated.invoke("reset-dev", "--yes").code == 4
    assert query(migrated, "select outcome from stillroom.journal order by id") == [
        ("applied",),
        ("reset",),
        ("applied",),
        ("open",),
    ]


def test_literals_are_in_no_row_of_the_journal(migrated: Project) -> None:
    """S03: a step may hold a password; others can read the journal."""
    write_revision(
        migrated,
        STEP,
        f"op.execute(\"create role someone_{migrated.database.name} password 'hunter2secret'\")\nop.execute('drop role someone_{migrated.database.name}')\n"  # type: ignore[union-attr]
        + "with op.get_context().autocommit_block():\n    op.execute(\"select 'hunter2secret'\")\n    op.execute('select 1 / 0')",
    )
    assert migrated.invoke("migrate").code == 4

    shown = query(migrated, "select string_agg(s::text, ' ') from stillroom.journal_statement s")[0][0]

    assert "create role someone" in shown
    assert "hunter2secret" not in shown + migrated.invoke("migrate").stderr


def test_without_a_ledger_nothing_is_remembered_and_that_is_said(migrated: Project) -> None:
    migrated.environment["STILLROOM_LEDGER"] = "off"

    done = migrated.invoke("migrate", "--resume")

    assert done.code == 3
    assert "STILLROOM_LEDGER is off, so nobody knows what was cut short" in done.stderr
