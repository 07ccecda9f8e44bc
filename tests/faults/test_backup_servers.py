"""A server or a network that ends while a backup is made, proven or restored: exit 4 or 5, and all is as it was."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.commands.backing import databases, make_backup, names
from tests.commands.support import add_user, database_of, finish, launch, query, until
from tests.faults.intact import Before, remember
from tests.faults.own_server import OwnServer, own_server
from tests.faults.proxy import proxy
from tests.servers import Project

STAGES = ["dump", "proof", "restore", "swap"]


# Large enough that pg_dump is met while it reads it; slow enough that pg_restore is met while it fills it.
LARGE = "create table large as select n, repeat(md5(n::text), 8) as text from generate_series(1, 100000) n"
SLOW = """
create function takes_its_time() returns bool language sql as $$ select pg_catalog.pg_sleep(0.02) is not null $$;
create table slow (n int check (takes_its_time())); insert into slow select generate_series(1, 30);
"""


@pytest.fixture(scope="module")
def fragile() -> Iterator[OwnServer]:
    """A server of one's own, to stop as one likes."""
    with own_server() as running:
        yield running


@pytest.fixture
def kept(project: Project, fragile: OwnServer) -> Iterator[Project]:
    """A project on that server, with some MB of rows and a backup of them; one user came later."""
    project.database = fragile.as_server.make_database()
    project.environment |= {"DATABASE_URL": fragile.url(project.database.name), "APP_ENV": "development"}
    assert project.invoke("migrate").code == 0
    query(project, LARGE)
    query(project, SLOW)
    make_backup(project)
    add_user(project)
    yield project
    for name in databases(project):
        fragile.query(f'drop database "{name}" with (force)')


def begin(project: Project, stage: str, *, url: str = "") -> tuple[Before, subprocess.Popen[str]]:
    """Start a backup or a restore, and wait until pg_dump or pg_restore copies the rows of a table."""
    before = remember(project)
    copies = "COPY public.large % TO %" if stage == "dump" else "COPY public.slow % FROM %"
    task = ("restore", *names(project), "--yes") if stage == "restore" else ("backup", "--verify", "restore")
    process = launch(project, *task, env={"DATABASE_URL": url} if url else {})
    with closing(database_of(project).server.connect()) as connection, connection.cursor() as cursor:
        end = time.monotonic() + 20
        while True:
            cursor.execute("select from pg_stat_activity where state = 'active' and query like %s", (copies,))
            if cursor.fetchone() is not None:
                return before, process
            assert process.poll() is None, finish(process)
            assert time.monotonic() < end
            time.sleep(0.005)


@pytest.mark.parametrize("stage", ["dump", "proof", "restore"])
def test_a_server_that_stops_at_once_leaves_all_as_it_was(kept: Project, fragile: OwnServer, stage: str) -> None:
    """F76, F92, K1: in the dump, in the restore that proves it, and in `restore` itself."""
    before, process = begin(kept, stage)

    fragile.stop("immediate")
    code, stdout, stderr = finish(process)
    fragile.start()

    assert code in {4, 5}, stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    before.require(makes_another=True, restores=stage == "restore")


@pytest.mark.parametrize("stage", ["dump", "proof", "restore"])
def test_a_network_that_is_cut_leaves_all_as_it_was(kept: Project, fragile: OwnServer, stage: str) -> None:
    """F88, F92, K3: the same by a cable; the server lives on, and so may what ran on it."""
    with proxy(fragile.as_server) as between:
        before, process = begin(kept, stage, url=between.url(database_of(kept)))

        between.cut_all()
        code, stdout, stderr = finish(process)

    assert code in {4, 5}, stderr
    assert "Traceback" not in stderr
    assert stdout == ""
    before.require(makes_another=True)


def test_a_network_that_is_gone_in_a_restore_leaves_a_database_that_the_next_run_drops(
    kept: Project, fragile: OwnServer
) -> None:
    """F88, F92: nobody can drop it then."""
    with proxy(fragile.as_server) as between:
        before, process = begin(kept, "restore", url=between.url(database_of(kept)))
        between.refuse()
        between.cut_all()
        code, _, stderr = finish(process)

    assert code in {4, 5}, stderr
    assert "Traceback" not in stderr
    assert "the next restore drops it" in stderr
    assert len(databases(kept)) == 2
    before.require()
    until(lambda: len(fragile.query("select from pg_stat_activity where application_name like 'stillroom%'")) == 0)
    before.require(makes_another=True)


STOPS_AT = """
import os, signal, sys, time
def stop(event, arguments):
    if event == "stillroom.seam" and arguments == ({name!r},):
        os.kill({postmaster}, signal.SIGQUIT)
        time.sleep(0.5)
sys.addaudithook(stop)
from invoke.main import program
program.run(["invoke", *sys.argv[1:]])
"""


@pytest.mark.parametrize("seam", ["live database renamed", "both databases renamed", "databases swapped"])
def test_a_server_that_stops_between_the_renames_has_one_whole_database_under_the_name(
    kept: Project, fragile: OwnServer, seam: str
) -> None:
    """F93, K1: stopped at once, and started again; the old one before the COMMIT, the new one after it."""
    before = remember(kept)
    assert fragile.process is not None
    script = STOPS_AT.format(name=seam, postmaster=fragile.process.pid)

    done = kept.run(sys.executable, "-c", script, "restore", *names(kept), "--yes")
    fragile.process.wait(timeout=30)
    fragile.start()

    assert done.code == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "whether it was is not known; the one under the name is whole" in done.stderr
    is_new = seam == "databases swapped"
    before.require(is_live=not is_new, makes_another=not is_new)
    assert query(kept, "select count(*) from users") == [(0 if is_new else 1,)]
    again = kept.invoke("restore", names(kept)[0], "--yes")
    assert again.code == 0, again.stderr
    assert not [name for name in databases(kept) if "_restore_" in name]


PAUSES_AT = """
import sys, time
def pause(event, arguments):
    if event == "stillroom.seam" and arguments == ({name!r},):
        open({marker!r}, "w").close()
        time.sleep(0.5)
sys.addaudithook(pause)
from invoke.main import program
program.run(["invoke", *sys.argv[1:]])
"""


@pytest.mark.parametrize(
    ("seam", "code"), [("live database renamed", 4), ("both databases renamed", 4), ("databases swapped", 0)]
)
def test_a_network_that_is_cut_between_the_renames_is_looked_into(
    kept: Project, fragile: OwnServer, seam: str, code: int
) -> None:
    """F93, K3: the connections are lost, and another one reads what became of it."""
    before, marker = remember(kept), kept.path.parent / "at-the-seam"
    script = PAUSES_AT.format(name=seam, marker=str(marker))
    with proxy(fragile.as_server) as between:
        url = {"DATABASE_URL": between.url(database_of(kept))}
        process = subprocess.Popen(
            [sys.executable, "-c", script, "restore", *names(kept), "--yes"],
            cwd=kept.path, env=kept.full_environment(url), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        until(marker.exists)
        between.cut_all()
        ended, _, stderr = finish(process)

    assert ended == code, stderr
    assert "Traceback" not in stderr
    assert query(kept, "select count(*) from users") == [(0 if code == 0 else 1,)]
    if code:
        (beside,) = databases(kept) - before.databases
        assert f"the live database is untouched, and {beside} holds the whole backup" in stderr
        before.require()
        make_backup(kept)
        assert beside in databases(kept), "what was said to be whole is dropped by nobody"
