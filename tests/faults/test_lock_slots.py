"""More tables than the server has lock slots, and fewer connections than a backup takes: no backup, and the number to set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from tests.commands.backing import folder, make_backup, names, tools_instead
from tests.commands.support import database_of, finish, launch, query, until
from tests.faults.intact import remember
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project

FEW = {
    "max_locks_per_transaction": "10", "max_connections": "10", "max_wal_senders": "0", "max_worker_processes": "0",
    "autovacuum": "off",
}  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Iterator[OwnServer]:
    """A server with some hundred lock slots."""
    with own_server(settings=FEW) as running:
        yield running


@pytest.fixture
def crowded(project: Project, small: OwnServer) -> Iterator[Project]:
    """A project at head on that server, with a good backup."""
    project.database = small.as_server.make_database()
    project.environment |= {"DATABASE_URL": small.url(project.database.name), "APP_ENV": "development"}
    assert project.invoke("migrate").code == 0
    make_backup(project)
    yield project
    if small.process is not None:
        project.database.drop()


def make_tables(project: Project, number: int, columns: str) -> None:
    """Make tables, each in a transaction of its own: one for all would run out of slots itself."""
    with closing(database_of(project).connect()) as connection, connection.cursor() as cursor:
        for each in range(number):
            cursor.execute(f"create table many_{each} ({columns})")


@pytest.mark.parametrize(
    ("number", "columns"),
    [(900, "n int"), (420, "n serial")],
    ids=["tables", "sequences: the tables alone have room"],
)
def test_more_tables_than_lock_slots_is_said_with_the_number_that_suffices(
    crowded: Project, small: OwnServer, number: int, columns: str
) -> None:
    """F83: exit 5, nothing is kept; with that number the next backup is whole, and restored for its proof."""
    make_tables(crowded, number, columns)
    before = remember(crowded)

    done = crowded.invoke("backup")

    assert done.code == 5, done.stderr
    assert re.search(r"fewer lock slots than a backup of [\d,]+ tables and sequences takes", done.stderr)
    wanted = re.search(r"`max_locks_per_transaction = (\d+)`", done.stderr)
    assert wanted, done.stderr
    before.require()
    small.stop("fast")
    small.settings = FEW | {"max_locks_per_transaction": wanted[1]}
    small.start()
    try:
        again = crowded.invoke("backup", "--verify", "restore")
        assert again.code == 0, again.stderr
    finally:
        small.stop("fast")
        small.settings = FEW
        small.start()


def take_all_slots(project: Project) -> psycopg2.extensions.connection:
    """Hold advisory locks until there is no slot left."""
    connection = database_of(project).connect()
    with connection.cursor() as cursor:
        for each in range(100_000):
            try:
                cursor.execute("select pg_advisory_lock(%s)", (each,))
            except psycopg2.errors.OutOfMemory:
                return connection
    raise AssertionError("the slots never ran out")


def has_read_its_own(project: Project) -> bool:
    """Whether the backup's own reading beside pg_dump is over: it takes slots as well, for the indexes."""
    ((still,),) = query(
        project,
        """select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
           and not (state like 'idle%' and state_change < clock_timestamp() - interval '2 seconds')""",
    )
    return still == 0


def test_a_pg_dump_that_finds_no_slot_is_told_apart_from_one_that_fails(crowded: Project) -> None:
    """F83: our own locks had room, and those of pg_dump have none."""
    marker, goes_on = crowded.path.parent / "started", crowded.path.parent / "goes on"
    tools_instead(crowded, dump=f'touch "{marker}"; while [ ! -e "{goes_on}" ]; do sleep 0.05; done')
    make_tables(crowded, 200, "n int")
    before = remember(crowded)
    process = launch(crowded, "backup")
    until(marker.exists)
    until(lambda: has_read_its_own(crowded))
    with closing(take_all_slots(crowded)):
        goes_on.touch()
        code, _, stderr = finish(process)

    assert code == 5, stderr
    assert "out of shared memory" in stderr
    assert re.search(r"hint: +set `max_locks_per_transaction = \d+`", stderr)
    tools_instead(crowded)
    before.require(makes_another=True)


@pytest.mark.parametrize(
    ("limit", "code"), [(1, 5), (2, 3)], ids=["none for pg_dump", "none for the restore that proves it"]
)
def test_a_role_with_too_few_connections_is_told_how_many(
    crowded: Project, small: OwnServer, limit: int, code: int
) -> None:
    """F29, F75: as many as the hint says suffice."""
    role, name = f"app_{database_of(crowded).name}", database_of(crowded).name
    query(crowded, f"create role {role} login createdb connection limit {limit}; grant pg_read_all_data to {role}")
    query(crowded, f"grant {role} to postgres; alter database {name} owner to {role}")
    older = names(crowded)
    as_role = {"DATABASE_URL": small.url(name, user=role)}

    done = crowded.invoke("backup", "--verify", "restore", env=as_role)

    assert done.code == code, done.stderr
    said = re.search(rf"`(ALTER ROLE \"{role}\" CONNECTION LIMIT \d+)`", done.stderr)
    assert said, done.stderr
    assert names(crowded) == older
    query(crowded, said[1])
    again = crowded.invoke("backup", "--verify", "restore", env=as_role)
    assert again.code == 0, again.stderr
    assert len(list(folder(crowded).glob("*/manifest.json"))) == 2
    query(crowded, f"alter database {name} owner to postgres; drop owned by {role}; drop role {role}")
