"""`restore`: into a new database, compared, then swapped in; the old one is kept."""

from __future__ import annotations

import sys
from contextlib import closing

import pexpect
import psycopg2
import pytest

from tests.commands.backing import databases, folder, make_backup
from tests.commands.support import HEAD, add_user, answer, current, database_of, holding_lock, query, set_mark
from tests.servers import Project


def users(project: Project, name: str = "") -> int:
    """Count the users, in the project's database or in another one."""
    database = database_of(project)
    with closing(database.server.connect(name or database.name)) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from users")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


@pytest.fixture
def backed_up(migrated: Project) -> tuple[Project, str]:
    """A project whose backup holds one user, and whose database holds two."""
    add_user(migrated)
    name = make_backup(migrated)
    add_user(migrated, "late@example.com")
    return migrated, name


def test_a_backup_takes_the_place_of_the_database_and_the_old_one_is_kept(backed_up: tuple[Project, str]) -> None:
    """F91."""
    project, name = backed_up

    done = project.invoke("restore", name, "--yes")

    assert done.code == 0, done.stderr
    (kept,) = databases(project) - {database_of(project).name}
    first, last = done.stdout.splitlines()
    assert f"restored from {name} in " in first
    assert f"now at {HEAD}: " in first
    assert last.startswith(f"the old database is kept as {kept}; ")
    assert kept.startswith(f"{database_of(project).name}_before_")
    assert [users(project), users(project, kept)] == [1, 2]
    assert current(project) == [HEAD]


def test_a_restored_database_can_be_restored_again_and_migrated(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up

    codes = [project.invoke("restore", name, "--yes").code for _ in range(2)]

    assert codes == [0, 0]
    assert len(databases(project)) == 3
    assert users(project) == 1
    assert "nothing to do" in project.invoke("migrate").stdout


def test_the_mark_comes_back_with_the_rest(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up

    project.invoke("restore", name, "--yes")

    assert query(project, "select environment from stillroom.mark") == [("development",)]


def test_without_a_terminal_it_asks_for_yes(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up

    done = project.invoke("restore", name)

    assert done.code == 3
    assert "would be replaced, and there is nobody to ask" in done.stderr
    assert f"`invoke restore {name} --yes`" in done.stderr
    assert users(project) == 2


@pytest.mark.parametrize(("typed", "code", "left"), [("y", 0, 1), ("n", 3, 2), ("", 3, 2)])
def test_on_a_terminal_it_asks(backed_up: tuple[Project, str], typed: str, code: int, left: int) -> None:
    project, name = backed_up
    terminal = pexpect.spawn(
        sys.executable, ["-m", "invoke", "restore", name], cwd=project.path, env=project.full_environment(), encoding="utf-8", timeout=30
    )  # fmt: skip

    terminal.expect(r"put the backup of .* in the place of .*\? \[y/N\]")
    terminal.sendline(typed)
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == code
    assert users(project) == left


def test_a_protected_database_is_swapped_with_the_flag_only(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up
    set_mark(project, "production")
    project.environment["APP_ENV"] = "production"

    refused, allowed = project.invoke("restore", name, "--yes"), project.invoke("restore", name, "--allow", "swap")

    assert refused.code == 3
    assert f"`invoke restore {name} --allow swap`" in refused.stderr
    assert allowed.code == 0, allowed.stderr
    assert users(project) == 1


def test_into_a_new_database_it_touches_nothing_and_is_never_refused(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up
    set_mark(project, "production")
    copy = f"{database_of(project).name}_copy"

    done = project.invoke("restore", name, "--into", copy)

    assert done.code == 0, done.stderr
    assert [users(project), users(project, copy)] == [2, 1]
    assert databases(project) == {database_of(project).name, copy}
    assert done.stdout.splitlines()[-1].endswith(f"make {copy} the name in DATABASE_URL")


def test_into_an_empty_database_that_is_there(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up
    copy = f"{database_of(project).name}_empty"
    database_of(project).server.execute(f'create database "{copy}"')

    done = project.invoke("restore", name, "--into", copy)

    assert done.code == 0, done.stderr
    assert users(project, copy) == 1


@pytest.mark.parametrize("into", ["postgres", "template1", "a=b", "-x", "x" * 64])
def test_what_is_no_name_of_a_new_database_is_refused(backed_up: tuple[Project, str], into: str) -> None:
    """S12, S13."""
    project, name = backed_up

    done = project.invoke("restore", name, f"--into={into}")

    assert done.code == 2
    assert "is no name for a new database" in done.stderr


def test_a_database_that_holds_something_is_never_restored_over(backed_up: tuple[Project, str]) -> None:
    """F91."""
    project, name = backed_up

    done = project.invoke("restore", name, "--into", database_of(project).name)

    assert done.code == 3
    assert "is there and holds something" in done.stderr
    assert users(project) == 2


@pytest.mark.parametrize("name", ["nope", "../backups", "/etc", "a\nb", "."])
def test_a_name_that_is_not_listed_is_refused(backed_up: tuple[Project, str], name: str) -> None:
    """S20."""
    project, good = backed_up

    done = project.invoke("restore", name, "--yes")

    assert done.code == 3
    assert "there is no such backup" in done.stderr
    assert f"the newest good one: `invoke restore {good}`" in done.stderr


def test_a_damaged_one_is_refused_and_the_newest_good_one_is_named(backed_up: tuple[Project, str]) -> None:
    """F84, F99, K14."""
    project, good = backed_up
    damaged = [make_backup(project) for _ in range(2)]
    for each in damaged:
        file = max((folder(project) / each / "dump").iterdir(), key=lambda path: path.stat().st_size)
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    done = project.invoke("restore", damaged[1], "--yes")

    assert done.code == 3
    assert "has changed since it was written" in done.stderr
    assert f"the newest good one: `invoke restore {good}`" in done.stderr
    assert databases(project) == {database_of(project).name}


def test_it_waits_for_a_migration(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up

    with holding_lock(project):
        done = project.invoke("restore", name, "--yes", env={"STILLROOM_WAIT_S": "0.2"})

    assert done.code == 7
    assert databases(project) == {database_of(project).name}


def test_clients_are_ended_and_settings_and_grants_of_the_database_are_carried_over(
    backed_up: tuple[Project, str],
) -> None:
    """F94, F98."""
    project, name = backed_up
    database = database_of(project)
    role = f"role_{database.name}"
    query(project, f"create role {role}")
    for statement in (
        "alter database {} set work_mem = '7MB'",
        'alter database {} set search_path = "$user", public',
        "revoke all on database {} from public",
        "grant connect on database {} to " + role,
        "comment on database {} is 'the shop'",
        "alter database {} connection limit 50",
    ):
        query(project, statement.format(database.name))
    facts = """select d.datacl::text, d.datconnlimit, shobj_description(d.oid, 'pg_database'),
                      (select array_agg(c order by c) from unnest(s.setconfig) c)
               from pg_database d join pg_db_role_setting s on s.setdatabase = d.oid where d.datname = current_database()"""
    before = query(project, facts)

    with closing(database.connect()) as client:
        done = project.invoke("restore", name, "--yes")

        with pytest.raises(psycopg2.OperationalError), client.cursor() as cursor:
            cursor.execute("select 1")

    assert done.code == 0, done.stderr
    assert query(project, facts) == before
    assert query(project, "show work_mem") == [("7MB",)]


def test_a_database_that_was_dropped_comes_back_under_its_name(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up
    database_of(project).drop()

    done = project.invoke("restore", name)

    assert done.code == 0, done.stderr
    assert databases(project) == {database_of(project).name}
    assert users(project) == 1


def test_json_is_one_object(backed_up: tuple[Project, str]) -> None:
    project, name = backed_up

    result = answer(project.invoke("restore", name, "--yes", "--json").stdout)["result"]

    assert result["backup"] == name
    assert result["is_swapped"] is True
    assert result["kept"] in databases(project)
    assert result["revisions"] == [HEAD]
    assert result["rows"] > 1
