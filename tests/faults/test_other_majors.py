"""A backup of one major version of PostgreSQL, restored into a server of another one."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.commands.backing import databases, make_backup, manifest, names
from tests.commands.support import add_user, database_of, query
from tests.counting import Counted
from tests.faults.intact import remember, rows_of
from tests.faults.killing import make_several_tables
from tests.provision import provision
from tests.servers import Database, Project, Server, running_server

ALLOWED = ("--yes", "--allow", "swap,untrusted")


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[int, Server]]:
    """Servers of several majors."""
    with ExitStack() as stack:
        yield {major: stack.enter_context(running_server(major)) for major in (14, 16, 18)}


@contextmanager
def on(project: Project, server: Server, *, tools: int, name: str = "") -> Iterator[None]:
    """Let a project live on a server, with the programs of some major alone."""
    name = name or f"shop_{uuid.uuid4().hex[:8]}"
    server.execute(f'create database "{name}"')
    project.database = Database(name, server)
    project.environment |= {
        "DATABASE_URL": project.database.url, "APP_ENV": "development", "PATH": "/usr/bin:/bin",
        "STILLROOM_PG_BIN": str(provision(tools).folder),
    }  # fmt: skip
    try:
        yield
    finally:
        server.execute(f'drop database if exists "{name}" with (force)')


def fill(project: Project) -> str:
    """Bring a database to head, with rows and a role that may read some; return the role."""
    role = f"librarian_{uuid.uuid4().hex[:8]}"
    assert project.invoke("migrate").code == 0
    make_several_tables(project, tables=2, size_mb=0.2)
    add_user(project)
    query(project, f"create role {role}; grant select on users to {role}; create index on many_0 (n)")
    return role


@pytest.mark.parametrize(("old", "new"), [(14, 18), (16, 18), (14, 16)])
def test_a_backup_of_an_older_server_is_restored_into_a_newer_one_and_compared(
    project: Project, servers: dict[int, Server], old: int, new: int, counted: Counted
) -> None:
    """F96, K8: every row, index and grant; the database gets the next migration as usual."""
    with on(project, servers[old], tools=old):
        role = fill(project)
        name, rows = make_backup(project, "--verify", "restore"), rows_of(project)
    servers[new].execute(f"create role {role}")
    with on(project, servers[new], tools=new):
        done = project.invoke("restore", name, *ALLOWED)

        assert done.code == 0, done.stderr
        assert rows_of(project) == rows
        assert query(project, "select has_table_privilege(%s, 'users', 'select')", role) == [(True,)]
        assert project.invoke("migrate").code == 0
        drop_kept(project)
    counted(f"a backup of PostgreSQL {old} restored into {new}: {len(rows)} tables equal")


def drop_kept(project: Project) -> None:
    """Drop the database that was there before the swap."""
    server = database_of(project).server
    pattern = f"{database_of(project).name}_before_%"
    for (name,) in query(project, "select datname from pg_database where datname like %s", pattern):
        server.execute(f'drop database "{name}"')


@pytest.mark.parametrize("old", [14, 16])
def test_a_backup_of_a_newer_server_is_not_restored_by_tools_that_cannot_read_it(
    project: Project, servers: dict[int, Server], old: int
) -> None:
    """F96: exit 5 before anything is made; which tools are needed is said, and the live database is untouched."""
    with on(project, servers[18], tools=18):
        role = fill(project)
        name = make_backup(project)
        assert str(manifest(project, name)["tool_version"]).startswith("18")
    servers[old].execute(f"create role {role}")
    with on(project, servers[old], tools=old):
        assert project.invoke("migrate").code == 0
        add_user(project)
        before = remember(project)

        done = project.invoke("restore", name, *ALLOWED)

        assert done.code == 5, done.stderr
        # 18's own programs are here, too: those of the embedded server, which have no zstd.
        assert "(built without zstd, with which the dump is compressed)" in done.stderr
        assert "install `postgresql-client-17`" in done.stderr
        assert databases(project) == {database_of(project).name}
        assert names(project) == [name]
        before.require()


# What no server before 18 knows.
ONLY_18 = "create table fresh (a int, b int generated always as (a * 2) virtual)"


@pytest.mark.parametrize("extra", ["", ONLY_18], ids=["what both know", "what 18 alone knows"])
@pytest.mark.parametrize("old", [14, 16])
def test_a_backup_of_a_newer_server_into_an_older_one_with_newer_tools_is_whole_or_nothing(
    project: Project, servers: dict[int, Server], old: int, extra: str
) -> None:
    """F96: with a pg_restore that reads it, all of it is there and equal, or the live database is untouched."""
    with on(project, servers[18], tools=18):
        role = fill(project)
        if extra:
            query(project, extra)
        name, rows = make_backup(project), rows_of(project)
    servers[old].execute(f"create role {role}")
    with on(project, servers[old], tools=18):
        assert project.invoke("migrate").code == 0
        add_user(project, "later@example.com")
        before = remember(project)

        done = project.invoke("restore", name, *ALLOWED)

        assert "Traceback" not in done.stderr
        assert done.code == (5 if extra else 0), done.stderr
        if extra:
            assert "what it does not know makes the restore fail" in done.stderr
            assert (
                f"hint:  the backup is of PostgreSQL 18, and this server is {old}: restore it into a newer one"
                in done.stderr
            )
            assert databases(project) == {database_of(project).name}
            before.require()
        else:
            assert rows_of(project) == rows
        drop_kept(project)
