"""Two databases change places, or nothing happens at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Literal

import psycopg2
import psycopg2.extensions
import pytest

from stillroom.edges.postgres.swap import Names, UnknownSwapError, move_in, swap
from stillroom.errors import DatabaseError
from tests.faults.proxy import proxy
from tests.servers import Database, Server


@pytest.fixture
def pair(server: Server, database: Database) -> Iterator[Names]:
    """A live database with a table `old`, and a restored one with a table `new`."""
    restored = server.make_database()
    for each, table in ((database, "old"), (restored, "new")):
        with closing(each.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"create table {table} (n int)")
    names = Names(database.name, restored.name, f"{database.name}_before")
    yield names
    for name in (names.restored, names.kept):
        server.execute(f'drop database if exists "{name}" with (force)')


def table_in(server: Server, name: str) -> str:
    with closing(server.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute("select relname from pg_class where relname in ('old', 'new')")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def run(server: Server, names: Names, **options: str) -> None:
    """Swap with a session of ours in the live database, as the migration lock has it."""
    with (
        closing(server.connect()) as renaming,
        closing(server.connect()) as watcher,
        closing(server.connect(names.live)) as held,
    ):
        for each in (renaming, watcher):
            with each.cursor() as cursor:
                for name, value in options.items():
                    cursor.execute(f"set {name} = {value}")
        swap(renaming, watcher, names, let_go=held.close, holder_pid=held.info.backend_pid, reconnect=server.connect)


def test_the_databases_change_places_and_clients_come_back(server: Server, pair: Names) -> None:
    """F94."""
    stop, seen = threading.Event(), []

    def use() -> None:
        while not stop.is_set():
            try:
                seen.append(table_in(server, pair.live))
            except psycopg2.OperationalError as error:
                seen.append(str(error).strip())

    clients = [threading.Thread(target=use) for _ in range(3)]
    for each in clients:
        each.start()
    time.sleep(0.2)
    started = time.monotonic()

    run(server, pair)

    took = time.monotonic() - started
    time.sleep(0.2)
    stop.set()
    for each in clients:
        each.join()
    assert table_in(server, pair.live) == "new"
    assert table_in(server, pair.kept) == "old"
    assert took < 4
    assert seen[0] == "old"
    assert seen[-1] == "new"


def test_idle_clients_are_ended(server: Server, pair: Names) -> None:
    """F94."""
    with closing(server.connect(pair.live)) as client:
        run(server, pair)

        with pytest.raises(psycopg2.OperationalError), client.cursor() as cursor:
            cursor.execute("select 1")


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("is_taken", [False, True], ids=["free", "taken meanwhile"])
def test_a_connection_lost_where_the_name_is_given_is_looked_into(
    server: Server, pair: Names, side: Literal["before", "after"], is_taken: bool
) -> None:
    """F93, K3: what has the name now is said, whatever the driver says; after COMMIT it is done."""
    server.execute(f'alter database "{pair.live}" rename to "{pair.kept}"')

    def look() -> psycopg2.extensions.connection:
        if is_taken and side == "before":
            server.execute(f'create database "{pair.live}"')
        return server.connect()

    with proxy(server) as between:
        between.cut_at_commit(side=side, containing="rename to")
        with closing(
            psycopg2.connect(f"host=127.0.0.1 port={between.port} user=postgres dbname=postgres sslmode=disable")
        ) as given:
            given.autocommit = True
            if side == "after":
                move_in(given, pair, reconnect=look)
            else:
                whose = "another one, made meanwhile, has" if is_taken else "no database has"
                with pytest.raises(DatabaseError, match=f"looked again: {whose} the name {pair.live}"):
                    move_in(given, pair, reconnect=look)

    if side == "after":
        assert table_in(server, pair.live) == "new"
    else:
        assert table_in(server, pair.restored) == "new"
    server.execute(f'drop database if exists "{pair.live}"')


def test_nobody_to_ask_after_a_lost_connection_is_said(server: Server, pair: Names) -> None:
    """F93, K3."""
    server.execute(f'alter database "{pair.live}" rename to "{pair.kept}"')

    def refused() -> psycopg2.extensions.connection:
        raise DatabaseError("nobody answers", hint="-")

    with proxy(server) as between:
        between.cut_at_commit(side="before", containing="rename to")
        with closing(
            psycopg2.connect(f"host=127.0.0.1 port={between.port} user=postgres dbname=postgres sslmode=disable")
        ) as given:
            given.autocommit = True
            with pytest.raises(UnknownSwapError, match="whether it was is not known"):
                move_in(given, pair, reconnect=refused)


def test_where_the_second_rename_fails_nothing_has_happened(server: Server, pair: Names) -> None:
    """F93."""
    missing = Names(pair.live, f"{pair.live}_missing", pair.kept)

    with pytest.raises(DatabaseError, match="in the place of"):
        run(server, missing)

    assert table_in(server, pair.live) == "old"


def test_a_session_that_the_role_may_not_end_is_named_and_the_live_database_stays(server: Server, pair: Names) -> None:
    """F94."""
    role = f"role_{pair.live}"
    server.execute(f"create role {role} createdb")
    for name in (pair.live, pair.restored):
        server.execute(f'alter database "{name}" owner to {role}')

    with closing(server.connect(pair.live)) as client:
        with pytest.raises(DatabaseError) as raised:
            run(server, pair, role=role)

        pid = client.info.backend_pid

    assert f"pid {pid}, postgres" in raised.value.message
    assert table_in(server, pair.live) == "old"
    for name in (pair.live, pair.restored):
        server.execute(f'alter database "{name}" owner to postgres')
    server.execute(f"drop role {role}")
