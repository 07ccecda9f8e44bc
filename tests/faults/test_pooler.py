"""A connection pooler between us and the server: found before anything is set or locked, and told apart from a direct way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from tests.commands.support import current, database_of, query
from tests.counting import Counted
from tests.faults.pooler import REFUSED, Pooler, left_behind, pooler
from tests.servers import Database, Project, Server

SIZE = 2


@pytest.fixture(scope="module")
def transaction_pooler(server: Server) -> Iterator[Pooler]:
    """A pooler that lends a server connection for a transaction."""
    with pooler(server, "transaction", size=SIZE) as running:
        yield running


@contextmanager
def busy(pooler: Pooler, database: Database) -> Iterator[None]:
    """Let other clients use all connections of the pool, a transaction at a time."""
    is_over = threading.Event()

    def use() -> None:
        with closing(pooler.connect(database.name)) as connection, connection.cursor() as cursor:
            while not is_over.is_set():
                cursor.execute("select pg_sleep(0.005)")

    threads = [threading.Thread(target=use) for _ in range(3 * pooler.size)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        is_over.set()
        for each in threads:
            each.join()


def test_what_is_left_in_a_pooled_session_would_be_seen(database: Database, transaction_pooler: Pooler) -> None:
    """F34: the other tests look for nothing, and would find something."""
    with closing(transaction_pooler.connect(database.name)) as careless, careless.cursor() as cursor:
        cursor.execute("set lock_timeout = '7s'")
        cursor.execute("select pg_advisory_lock(1)")

    assert left_behind(transaction_pooler, database) == ({"lock_timeout"}, 1)


@pytest.mark.parametrize("is_busy", [False, True], ids=["idle", "busy"])
def test_a_transaction_pooler_is_refused_before_anything_is_set_or_locked(
    is_busy: bool,
    project_on_database: Project,
    transaction_pooler: Pooler,
    rounds: int,
    counted: Counted,
) -> None:
    """F34: found by the process id of the handshake, idle and busy; other clients' sessions stay as they were."""
    database = database_of(project_on_database)
    with ExitStack() as stack:
        if is_busy:
            stack.enter_context(busy(transaction_pooler, database))
        ended = [
            project_on_database.invoke("migrate", env={"DATABASE_URL": transaction_pooler.url(database.name)})
            for _ in range(rounds)
        ]

    refused = [done for done in ended if (done.code, done.stderr) == (3, REFUSED.format(name=database.name))]
    counted(f"refused {len(refused)}/{rounds}")
    assert len(refused) == rounds, ended
    assert left_behind(transaction_pooler, database) == (set(), 0)
    assert query(project_on_database, "select to_regclass('alembic_version') is null") == [(True,)]


def test_what_only_reads_works_through_a_transaction_pooler(migrated: Project, transaction_pooler: Pooler) -> None:
    """F34: it works, and leaves nothing in other clients' sessions: `check` once left its search_path there."""
    database = database_of(migrated)
    through = {"DATABASE_URL": transaction_pooler.url(database.name)}
    write = ("make-migration", "--message", "nothing", "--empty", "--no-edit")

    status, history, check, made = (
        migrated.invoke(*task, env=through) for task in (("status",), ("history",), ("check",), write)
    )
    shown = migrated.alembic("current", env=through)

    assert [each.code for each in (status, history, check, made, shown)] == [0] * 5, (status, history, check, made)
    assert "at head, nothing pending" in status.stdout
    assert left_behind(transaction_pooler, database) == (set(), 0)


def test_nothing_to_do_is_no_refusal_through_a_pooler(migrated: Project, transaction_pooler: Pooler) -> None:
    """F34: a pod that starts at head needs neither lock nor settings."""
    done = migrated.invoke("migrate", env={"DATABASE_URL": transaction_pooler.url(database_of(migrated).name)})

    assert done.code == 0, done.stderr


def test_the_mark_is_written_through_a_pooler(migrated: Project, transaction_pooler: Pooler) -> None:
    """F34: it is one short transaction, and leaves nothing else."""
    database = database_of(migrated)

    done = migrated.invoke(
        "mark", "--environment", "staging", env={"DATABASE_URL": transaction_pooler.url(database.name)}
    )

    assert done.code == 0, done.stderr
    assert query(migrated, "select environment from stillroom.mark") == [("staging",)]
    assert left_behind(transaction_pooler, database) == (set(), 0)


@pytest.mark.parametrize(
    "task",
    [("rollback", "--target", "base", "--yes"), ("stamp", "base"), ("reset-dev", "--yes"), ("backup",)],
    ids=lambda words: str(words[0]),
)
def test_every_task_that_writes_refuses_the_pooler(
    task: tuple[str, ...], migrated: Project, transaction_pooler: Pooler
) -> None:
    """F34: a lock taken through it would be nobody's. `stamp` once built a scratch database through it first."""
    database = database_of(migrated)

    done = migrated.invoke(*task, env={"DATABASE_URL": transaction_pooler.url(database.name)})

    assert done.code == 3
    assert done.stderr.endswith(REFUSED.format(name=database.name))
    assert left_behind(transaction_pooler, database) == (set(), 0)


def test_the_direct_way_past_the_pooler_migrates(project_on_database: Project, transaction_pooler: Pooler) -> None:
    """F34: MIGRATION_DATABASE_URL names the server itself; another database there is refused."""
    database = database_of(project_on_database)
    through = {"DATABASE_URL": transaction_pooler.url(database.name)}

    elsewhere = project_on_database.invoke(
        "migrate", env=through | {"MIGRATION_DATABASE_URL": database.url.replace(database.name, "another")}
    )
    done = project_on_database.invoke("migrate", env=through | {"MIGRATION_DATABASE_URL": database.url})

    assert elsewhere.code == 2
    assert f"names the database another, and DATABASE_URL names {database.name}" in elsewhere.stderr
    assert done.code == 0, done.stderr
    assert len(current(project_on_database)) == 1
