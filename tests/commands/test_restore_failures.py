"""`restore`: with fewer rights, wrong copies and kills, the live database stays as it is."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from dataclasses import replace

import pytest

from stillroom.core.manifest import read_manifest, write_manifest
from tests.commands.backing import databases, folder, make_backup, tools_instead
from tests.commands.support import add_user, database_of, finish, interrupt, launch, query, until
from tests.commands.test_restore import users
from tests.servers import Project


@pytest.fixture
def backed_up(migrated: Project) -> tuple[Project, str]:
    """A project whose backup holds one user, and whose database holds two."""
    add_user(migrated)
    # The server's own tools from the beginning: they could not read what newer ones write.
    tools_instead(migrated)
    name = make_backup(migrated)
    add_user(migrated, "late@example.com")
    return migrated, name


def as_role(project: Project, *, options: str = "", owns: bool = False) -> str:
    """Let the project connect as a role of its own, which owns what is in the database, and return the role."""
    database = database_of(project)
    role = f"role_{database.name}"
    query(project, f"create role {role} login {options}")
    query(project, f"grant all on database {database.name} to {role}")
    for (statement,) in query(
        project,
        """select format('alter %%s %%I.%%I owner to %%I', case relkind when 'S' then 'sequence' else 'table' end,
                         relnamespace::regnamespace, relname, %s::text)
           from pg_class where relkind = 'r' and relnamespace::regnamespace::text in ('public', 'stillroom')""",
        role,
    ):
        query(project, statement)
    query(project, f"alter schema stillroom owner to {role}; grant all on schema public to {role}")
    query(project, f"alter function stillroom.refuse_change owner to {role}")
    for (name,) in query(project, "select typname from pg_type where typtype = 'e'"):
        query(project, f"alter type {name} owner to {role}")
    if owns:
        query(project, f"alter database {database.name} owner to {role}")
    project.environment["DATABASE_URL"] = database.url.replace("postgres@", f"{role}@")
    return role


def test_a_copy_that_is_not_what_was_backed_up_is_dropped(backed_up: tuple[Project, str]) -> None:
    """F85: a manifest that tells of other rows, whoever wrote it."""
    project, name = backed_up
    path = folder(project) / name / "manifest.json"
    found = read_manifest(path.read_text())
    rows = tuple(replace(each, rows=5) if each.name == "users" else each for each in found.rows)
    path.write_text(write_manifest(replace(found, rows=rows)))

    done = project.invoke("restore", name, "--yes")

    assert done.code == 5
    assert "public.users has 1 rows, the backup 5" in done.stderr
    assert databases(project) == {database_of(project).name}


def test_a_pg_restore_that_fails_leaves_nothing(backed_up: tuple[Project, str]) -> None:
    """F92."""
    project, name = backed_up
    tools_instead(project, restore='echo "pg_restore: error: out of sorts" >&2; exit 1')

    done = project.invoke("restore", name, "--yes")

    assert done.code == 5
    assert "pg_restore (exit 1): out of sorts" in done.stderr
    assert databases(project) == {database_of(project).name}
    assert users(project) == 2


def test_a_role_that_may_not_create_databases_is_told_what_it_can_do(migrated: Project) -> None:
    role = as_role(migrated)
    name = make_backup(migrated)
    empty = f"{database_of(migrated).name}_empty"
    database_of(migrated).server.execute(f"create database {empty} owner {role}")

    refused, into = migrated.invoke("restore", name, "--yes"), migrated.invoke("restore", name, "--into", empty)

    assert refused.code == 3
    assert "this role may not create databases" in refused.stderr
    assert "--into" in refused.stderr
    assert into.code == 0, into.stderr
    assert users(migrated, empty) == 0


def test_a_role_that_does_not_own_the_database_gets_the_backup_beside_it(migrated: Project) -> None:
    as_role(migrated, options="createdb")
    name = make_backup(migrated)

    done = migrated.invoke("restore", name)

    (beside,) = databases(migrated) - {database_of(migrated).name}
    assert done.code == 0, done.stderr
    assert "belongs to postgres, and only its owner may rename it" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"make {beside} the name in DATABASE_URL")
    assert users(migrated, beside) == 0


def test_an_owner_with_createdb_swaps_without_being_superuser(migrated: Project) -> None:
    role = as_role(migrated, options="createdb", owns=True)
    name = make_backup(migrated)
    add_user(migrated)

    done = migrated.invoke("restore", name, "--yes")

    assert done.code == 0, done.stderr
    assert users(migrated) == 0
    assert query(migrated, "select distinct tableowner::text from pg_tables where schemaname = 'public'") == [(role,)]


def test_a_session_the_role_may_not_end_stops_the_swap_and_the_copy_is_kept(migrated: Project) -> None:
    """F94."""
    as_role(migrated, options="createdb", owns=True)
    name = make_backup(migrated)
    add_user(migrated)

    with closing(database_of(migrated).connect()):
        done = migrated.invoke("restore", name, "--yes")

    (beside,) = databases(migrated) - {database_of(migrated).name}
    assert done.code == 4
    assert "could not be ended by this role: pid " in done.stderr
    assert f"{beside} holds the whole backup" in done.stderr
    make_backup(migrated)
    assert beside in databases(migrated), "no run takes it for a half one"
    assert [users(migrated), users(migrated, beside)] == [1, 0]


def test_a_role_without_the_rights_restores_without_owners_and_says_so(migrated: Project) -> None:
    """F95."""
    role = f"other_{database_of(migrated).name}"
    as_role(migrated, options="createdb", owns=True)
    query(
        migrated,
        f"create role {role}; alter table tasks owner to {role}; grant select on tasks, tasks_id_seq to role_{database_of(migrated).name}",
    )
    name = make_backup(migrated)

    done = migrated.invoke("restore", name, "--yes")
    protected = migrated.invoke("restore", name, "--allow", "swap", env={"APP_ENV": "production"})

    assert done.code == 0, done.stderr
    assert "once more, without owners and grants" in done.stderr
    assert "note:  owners and grants are not as they were" in done.stdout
    assert protected.code == 0, protected.stderr
    assert "owners and grants could not be restored, and it is protected" in protected.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_restore_leaves_the_live_database_and_nothing_else(
    backed_up: tuple[Project, str], number: int
) -> None:
    """F92."""
    project, name = backed_up
    marker = project.path.parent / "started"
    tools_instead(project, restore=f'echo $$ > "{marker}"; exec sleep 60')
    process = launch(project, "restore", name, "--yes")
    until(lambda: marker.exists() and marker.read_text())

    stopped = interrupt(process, number)

    assert stopped.code == 130
    assert "interrupted; the live database is untouched" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert databases(project) == {database_of(project).name}
    assert users(project) == 2


def test_what_a_killed_restore_leaves_is_dropped_by_the_next(backed_up: tuple[Project, str]) -> None:
    """F92."""
    project, name = backed_up
    marker = project.path.parent / "started"
    tools_instead(project, restore=f'"$real" "$@"; echo $PPID > "{marker}"; exec sleep 60')
    process = launch(project, "restore", name, "--yes")
    until(lambda: marker.exists() and marker.read_text())
    os.kill(int(marker.read_text()), signal.SIGKILL)
    code, _, stderr = finish(process)
    (half,) = databases(project) - {database_of(project).name}
    tools_instead(project)
    time.sleep(0.5)  # the server notices that the session is gone

    done = project.invoke("restore", name, "--yes")

    assert code == 4
    assert "was ended by signal 9" in stderr
    assert done.code == 0, done.stderr
    assert f"dropped {half}, which an interrupted run had left" in done.stderr
    assert half not in databases(project)
    assert users(project) == 1
