"""A server or a network that ends while a backup is made, proven or restored: exit 4 or 5, and all is as it was."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.commands.backing import databases, make_backup, tools_instead
from tests.commands.support import add_user, database_of, finish, launch, until
from tests.faults.intact import Before, remember
from tests.faults.killing import make_several_tables
from tests.faults.own_server import OwnServer, own_server
from tests.faults.proxy import proxy
from tests.servers import Project

STAGES = ["dump", "proof", "restore", "swap"]


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
    make_several_tables(project, tables=2, size_mb=1)
    make_backup(project)
    add_user(project)
    yield project
    for name in databases(project):
        fragile.query(f'drop database "{name}" with (force)')


def begin(project: Project, stage: str, *, url: str = "") -> tuple[Before, subprocess.Popen[str]]:
    """Start a backup or a restore, and wait until its tool is half-way through."""
    before = remember(project)
    marker = project.path.parent / "half-way"
    # What a tool did is there and it has not ended: the rows are copied, or the half of them.
    half = f'"$real" "$@"; code=$?; touch "{marker}"; sleep 3; exit $code'
    early = f'"$real" "$@" & touch "{marker}"; wait $!; code=$?; sleep 1; exit $code'
    late_restore = {"dump": "", "proof": f'case "$*" in *--file=-*) ;; *) {half};; esac', "restore": half, "swap": ""}
    tools_instead(project, dump=early if stage == "dump" else "", restore=late_restore[stage])
    task = ("backup", "--verify", "restore") if stage in {"dump", "proof"} else ("restore", "--latest", "--yes")
    process = launch(project, *task, env={"DATABASE_URL": url} if url else {})
    until(marker.exists)
    return before, process


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
    tools_instead(kept)
    before.require(makes_another=True, restores=True)


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
    tools_instead(kept)
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
    assert len(databases(kept)) == 2
    before.require()
    tools_instead(kept)
    until(lambda: len(fragile.query("select from pg_stat_activity where application_name like 'stillroom%'")) == 0)
    before.require(makes_another=True)
