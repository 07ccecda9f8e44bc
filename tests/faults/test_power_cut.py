"""The power goes in the middle of each kind of step: the server stops without a word and starts again, and so does the deploy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.commands.support import current, finish, launch, query, running, until, write_revision
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project

STEP = "aaaa00000001"
MADE = """
op.execute('create table wide (id int primary key, n int, done int not null default 0)')
op.execute('insert into wide select g, g from generate_series(1, 500) g')
"""
BLOCK = MADE + "with op.get_context().autocommit_block():\n"
KINDS = {
    "a transaction": (MADE + "op.execute('select pg_sleep(5)')", "pg_sleep", ""),
    "a concurrent build": (
        BLOCK + "    op.create_index('ix_wide_n', 'wide', ['n'], postgresql_concurrently=True)",
        "CREATE INDEX CONCURRENTLY",
        "invalid",
    ),
    "a statement of its own": (BLOCK + "    op.execute('update wide set done = done + 1 where pg_sleep(0.01) is not null')", "update wide", ""),
    "a backfill": (
        "from stillroom import backfill\n" + MADE + "backfill('wide', 'done = done + 1', where='pg_sleep(0.005) is not null', rows=50)",
        "with stillroom_batch",
        "begun",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def mains() -> Iterator[OwnServer]:
    """A server whose power can be cut; it writes to disk as servers do."""
    with own_server(settings={"fsync": "on", "full_page_writes": "on"}) as running_server:
        yield running_server


@pytest.fixture
def powered(project: Project, mains: OwnServer) -> Project:
    """A project with one long step on an empty database of that server."""
    for each in (project.path / "migrations" / "alembic" / "versions").glob("*.py"):
        each.unlink()
    project.database = mains.as_server.make_database()
    project.environment |= {"DATABASE_URL": mains.url(project.database.name), "APP_ENV": "development"}
    return project


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_power_cut_what_is_said_brings_the_rest(powered: Project, mains: OwnServer, kind: str) -> None:
    """F27, F40, F71: a whole step, or one that is shown and gone on with; nothing twice."""
    body, statement, state = KINDS[kind]
    write_revision(powered, STEP, body, down=None)
    with closing(mains.connect(str(powered.database and powered.database.name))) as reader, reader.cursor() as cursor:
        cursor.execute("begin isolation level repeatable read")
        cursor.execute("select 1")  # its snapshot is what a concurrent build waits for
        process = launch(powered, "migrate")
        until(lambda: running(powered, f"{statement}%"), within_s=30)
        if kind == "a backfill":
            until(lambda: query(powered, "select 1 from stillroom.journal_statement where rows > 100"))
        mains.stop("immediate")
    mains.start()
    cut = finish(process)

    again = powered.invoke("migrate", timeout=120)
    if again.code == 3:
        assert "was cut short in its upgrade" in again.stderr
        assert state in again.stderr
        again = powered.invoke("migrate", "--resume", timeout=120)

    assert cut[0] == 4, cut
    assert again.code == 0, again.stderr
    assert current(powered) == [STEP]
    done = 1 if "done + 1" in body else 0
    assert query(powered, "select count(*), min(done), max(done) from wide") == [(500, done, done)]
    assert query(powered, "select count(*) from pg_index where not indisvalid") == [(0,)]
    assert powered.invoke("ledger.verify").code == 0
