"""Tables that somebody else holds: nobody queues behind us for long, who is in the way is named, nothing is forced."""

from __future__ import annotations

import threading
import time
from contextlib import closing

from tests.commands.support import current, database_of, finish, in_transaction, launch, query, until, write_revision
from tests.counting import Counted
from tests.servers import Project

FIRST, SECOND = "aaaa00000001", "aaaa00000002"
WAITING = "select 1 from pg_locks where not granted and relation = 'users'::regclass"


class Readers:
    """Threads that read a table over and over, as an application does; they note how long the slowest read took."""

    def __init__(self, project: Project, count: int = 4) -> None:
        self.slowest, self.reads, self._ended = 0.0, 0, threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(project,)) for _ in range(count)]

    def __enter__(self) -> Readers:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for each in self._threads:
            each.join()

    def _read(self, project: Project) -> None:
        with closing(database_of(project).connect()) as connection, connection.cursor() as cursor:
            while not self._ended.wait(0.01):
                started = time.monotonic()
                cursor.execute("select count(*) from users")
                self.slowest = max(self.slowest, time.monotonic() - started)
                self.reads += 1


def test_a_reader_that_holds_a_table_delays_foreign_reads_by_no_more_than_twice_the_lock_timeout(
    migrated: Project, rounds: int, counted: Counted
) -> None:
    """F43, K10: a reader holds on for 15 s (3 s in the short form); blockers are named, and the step goes through after it."""
    held_s = 15.0 if rounds > 10 else 3.0
    write_revision(migrated, FIRST, "op.execute('create table extra ()')")
    # A sequence keeps what it was set to though the try is rolled back.
    query(migrated, "create sequence longest")
    note = "select setval('longest', greatest(last_value, extract(epoch from current_setting('lock_timeout')::interval) * 1000)::bigint) from longest"
    write_revision(
        migrated, SECOND, f"op.execute({note!r})\nop.add_column('users', sa.Column('note', sa.Text))", down=FIRST
    )
    env = {"STILLROOM_LOCK_TRIES": "100"}

    with Readers(migrated) as readers:
        with in_transaction(
            migrated, "select * from users where email = 'somebody@example.com' and display_name = 'Somebody'"
        ):
            process = launch(migrated, "migrate", env=env)
            until(lambda: query(migrated, WAITING))
            time.sleep(held_s)
            held_back = process.poll()
        code, _, stderr = finish(process)

    counted(f"{readers.reads} foreign reads beside a held table, the slowest {readers.slowest:.2f} s")
    assert held_back is None
    assert code == 0, stderr
    # The lock timeout grows to 2 s with the tries; a read that comes right after the statement waits that long.
    ((longest_ms,),) = query(migrated, "select last_value from longest")
    assert 500 <= longest_ms <= 2_000
    assert readers.slowest < 2 * longest_ms / 1000
    assert f"  + {FIRST}" in stderr
    assert "waiting for pid " in stderr
    assert ", postgres, no application name, idle in transaction for " in stderr
    assert " s: select * from users where email = ? and display_name = ?\n" in stderr
    assert "somebody@example.com" not in stderr
    assert "canceling statement due to lock timeout (55P03); trying again in" in stderr


def test_a_blocker_that_never_leaves_is_not_forced(migrated: Project) -> None:
    """F44, F69: it gives up, exit 4; nothing of that step is applied, the one before it stays recorded."""
    write_revision(migrated, FIRST, "op.execute('create table extra ()')")
    write_revision(
        migrated,
        SECOND,
        "op.execute('create table half ()')\nop.add_column('users', sa.Column('note', sa.Text))",
        down=FIRST,
    )
    env = {"STILLROOM_LOCK_TRIES": "3", "STILLROOM_LOCK_TIMEOUT_MS": "200"}

    with in_transaction(migrated, "select * from users"):
        done = migrated.invoke("migrate", env=env)
        still_there = query(
            migrated,
            "select count(*) from pg_stat_activity where state = 'idle in transaction' and query = 'select * from users'",
        )

    assert done.code == 4
    assert (
        f"{SECOND} failed at line 12: canceling statement due to lock timeout (55P03); it was rolled back"
        in done.stderr
    )
    assert "1 of 2 applied, 0 not tried" in done.stderr
    assert still_there == [(1,)]
    assert current(migrated) == [FIRST]
    assert query(migrated, "select to_regclass('half')") == [(None,)]


def test_a_statement_of_an_autocommit_block_is_tried_again_by_itself(migrated: Project) -> None:
    """F43 where a step commits as it goes: only the statement that met the lock is repeated, so nothing runs twice."""
    query(migrated, "create table counted (n int)")
    write_revision(
        migrated,
        FIRST,
        """
        with op.get_context().autocommit_block():
            op.execute('insert into counted values (1)')
            op.execute('alter table users add column note text')
            op.execute('insert into counted values (2)')
        """,
    )

    with in_transaction(migrated, "select * from users"):
        process = launch(migrated, "migrate", env={"STILLROOM_LOCK_TRIES": "100"})
        until(lambda: query(migrated, WAITING))
        time.sleep(1)
    code, _, stderr = finish(process)

    assert code == 0, stderr
    assert "a statement: canceling statement due to lock timeout (55P03); trying again in" in stderr
    assert query(migrated, "select n from counted order by 1") == [(1,), (2,)]


def test_a_deadlock_with_the_application_is_tried_again_as_a_whole_step(migrated: Project) -> None:
    """F45, 40P01: the server ends one of the two; the step runs once more from its beginning."""
    query(migrated, "create table a (n int); create table b (n int)")
    database = database_of(migrated)
    query(migrated, f"alter database {database.name} set deadlock_timeout = '100ms'")
    body = "op.execute('insert into a values (1)')\nop.execute('lock table a')\nop.execute('select pg_sleep(0.7)')\nop.execute('lock table b')"
    write_revision(migrated, FIRST, body)

    with closing(database.connect()) as other, other.cursor() as cursor:
        cursor.execute("set deadlock_timeout = '10s'; begin; lock table b")
        process = launch(migrated, "migrate", env={"STILLROOM_LOCK_TIMEOUT_MS": "5000"})
        until(lambda: query(migrated, "select 1 from pg_stat_activity where query = 'select pg_sleep(0.7)'"))
        cursor.execute("lock table a")
        cursor.execute("commit")
    code, _, stderr = finish(process)

    assert code == 0, stderr
    assert f"{FIRST}: deadlock detected (40P01); trying again in" in stderr
    assert query(migrated, "select n from a") == [(1,)]


def test_a_serialization_failure_is_tried_again(migrated: Project) -> None:
    """F45, 40001: raised by the server for rows that changed meanwhile."""
    query(migrated, "create sequence tries")
    write_revision(
        migrated,
        FIRST,
        """
        op.execute("do $$ begin if nextval('tries') < 3 then raise exception 'changed meanwhile' using errcode = '40001'; end if; end $$")
        """,
    )

    done = migrated.invoke("migrate")

    assert done.code == 0, done.stderr
    assert done.stderr.count("changed meanwhile (40001); trying again in") == 2
    assert current(migrated) == [FIRST]


def test_a_blocker_of_another_role_is_named_as_far_as_the_server_tells(migrated: Project) -> None:
    """F43 for an ordinary role: the server hides state and query of other roles, and that is said."""
    database = database_of(migrated)
    role = f"plain_{database.name}"
    database.server.execute(f'create role "{role}" login')
    for statement in (
        f'alter database "{database.name}" owner to "{role}"',
        f'alter table users owner to "{role}"; alter table alembic_version owner to "{role}"',
        f'grant all on schema stillroom to "{role}"; grant all on all tables in schema stillroom to "{role}"',
    ):
        query(migrated, statement)
    write_revision(migrated, FIRST, "op.add_column('users', sa.Column('note', sa.Text))")

    with in_transaction(migrated, "select * from users"):
        process = launch(migrated, "migrate", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})
        assert process.stderr is not None
        said = process.stderr.readline()
    code, _, stderr = finish(process)
    database.drop()
    database.server.execute(f'drop role "{role}"')

    assert "postgres, no application name; what it does is hidden from this role" in said, said
    assert code == 0, stderr
