"""`backup`: one moment of the database, proven, in a folder of its own."""

from __future__ import annotations

import stat
import sys
from contextlib import closing

import pytest

from tests.commands.backing import LASTING, folder, make_backup, manifest, names
from tests.commands.support import (
    HEAD,
    KEY,
    add_user,
    answer,
    database_of,
    finish,
    holding_lock,
    in_transaction,
    launch,
    query,
)
from tests.servers import Project


def test_backup_makes_a_folder_and_says_the_way_back(migrated: Project) -> None:
    add_user(migrated)

    done = migrated.invoke("backup")

    (name,) = names(migrated)
    first, second, last = done.stdout.splitlines()
    assert done.code == 0, done.stderr
    assert f"backed up at {HEAD} in " in last
    assert last.endswith("restored into a scratch database on the same server and compared")
    assert second == str(folder(migrated) / name)
    assert first == f"the way back: `invoke restore {name}`"
    assert name.startswith(database_of(migrated).name)
    assert name.endswith(HEAD)


def test_the_manifest_tells_what_is_in_it(migrated: Project) -> None:
    add_user(migrated)
    add_user(migrated, "bob@example.com")

    found = manifest(migrated, make_backup(migrated))

    assert found["database"] == database_of(migrated).name
    assert found["revisions"] == [HEAD]
    assert found["sequence"] == 1
    assert found["verified"] == "restore"
    assert found["server_version"].startswith(f"{database_of(migrated).server.major}.")
    assert found["tool"].endswith("/pg_dump")
    rows = {f"{each['schema']}.{each['name']}": each for each in found["rows"]}
    assert (rows["public.users"]["rows"], rows["stillroom.mark"]["rows"]) == (2, 1)
    assert all(each["hash"] for each in rows.values())
    assert found["contents"]["origin"]["encoding"] == "UTF8"
    assert "plpgsql" in [each["name"] for each in found["contents"]["extensions"]]
    assert "dump/toc.dat" in [each["path"] for each in found["files"]]


def test_nobody_else_can_read_it(migrated: Project) -> None:
    """S18."""
    done = migrated.run("sh", "-c", f"umask 0; exec {sys.executable} -m invoke backup")

    assert done.code == 0, done.stderr
    for path in [folder(migrated), *folder(migrated).rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_second_backup_stands_beside_the_first(migrated: Project) -> None:
    first = make_backup(migrated)

    second = make_backup(migrated)

    assert first != second
    assert [manifest(migrated, each)["sequence"] for each in (first, second)] == [1, 2]


def test_two_at_once_both_succeed(migrated: Project) -> None:
    ended = [finish(process) for process in [launch(migrated, "backup") for _ in range(2)]]

    assert [code for code, _, _ in ended] == [0, 0], ended
    assert sorted(manifest(migrated, each)["sequence"] for each in names(migrated)) == [1, 2]


def test_a_backup_waits_for_a_migration_and_gives_up_when_the_wait_runs_out(migrated: Project) -> None:
    """F48."""
    with holding_lock(migrated):
        done = migrated.invoke("backup", env={"STILLROOM_WAIT_S": "0.2"})

    assert done.code == 7
    assert "another migration is running (pid " in done.stderr
    assert names(migrated) == []


def test_a_backup_does_not_wait_for_another_one(migrated: Project) -> None:
    """F48."""
    with closing(database_of(migrated).connect()) as other, other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(%s)", (KEY,))

        done = migrated.invoke("backup", env={"STILLROOM_WAIT_S": "0"})

    assert done.code == 0, done.stderr


def test_a_table_that_is_held_is_named_when_the_wait_runs_out(migrated: Project) -> None:
    """F79."""
    with in_transaction(migrated, "lock table users in access exclusive mode"):
        done = migrated.invoke("backup", "--lock-wait-timeout", "0.2")

    assert done.code == 5
    assert "the wait for a table ran out: users is held by pid " in done.stderr
    assert names(migrated) == []


@pytest.mark.parametrize("text", ["soon", "0", "-1", "1e9", "nan"])
def test_a_wait_that_is_none_is_refused(migrated: Project, text: str) -> None:
    done = migrated.invoke("backup", "--lock-wait-timeout", text)

    assert done.code == 2
    assert "not a number of seconds" in done.stderr


def test_rows_can_be_left_out(migrated: Project) -> None:
    add_user(migrated)

    name = make_backup(migrated, "--exclude-table-data", "users,alembic_*")

    found = manifest(migrated, name)
    assert found["without_rows"] == ["public.alembic_version", "public.users"]
    assert "users" not in [each["name"] for each in found["rows"]]
    restored = migrated.invoke("restore", name, "--into", f"{database_of(migrated).name}_copy")
    assert restored.code == 0, restored.stderr
    with (
        closing(database_of(migrated).server.connect(f"{database_of(migrated).name}_copy")) as copy,
        copy.cursor() as cursor,
    ):
        cursor.execute("select count(*) from users")
        assert cursor.fetchone() == (0,)


def test_a_table_that_is_not_there_cannot_be_left_out(migrated: Project) -> None:
    done = migrated.invoke("backup", "--exclude-table-data", "mesages")

    assert done.code == 3
    assert "no table matches 'mesages'" in done.stderr
    assert names(migrated) == []


def test_the_schema_alone_can_be_kept(migrated: Project) -> None:
    add_user(migrated)

    done = migrated.invoke("backup", "--schema-only")

    (name,) = names(migrated)
    assert "the schema without rows" in done.stdout
    assert manifest(migrated, name)["rows"] == []


def test_an_empty_database_can_be_backed_up(project_on_database: Project) -> None:
    name = make_backup(project_on_database)

    assert name.endswith("-base")
    assert manifest(project_on_database, name)["rows"] == []


def test_a_role_that_may_not_read_everything_gets_no_half_backup(migrated: Project) -> None:
    """F82."""
    database = database_of(migrated)
    role = f"reader_{database.name}"
    query(migrated, f"create role {role} login")
    query(migrated, f"grant select on alembic_version to {role}")

    done = migrated.invoke("backup", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    query(migrated, f"drop owned by {role}; drop role {role}")
    assert done.code == 4
    assert f"{role} may not read public.conversations, " in done.stderr
    assert names(migrated) == []


@pytest.mark.parametrize("task", ["backup", "backup-then-migrate"])
def test_a_role_that_may_read_nothing_is_told_all_of_it(migrated: Project, task: str) -> None:
    """F82: not the version table alone, which is read first."""
    database = database_of(migrated)
    role = f"reader_{database.name}"
    query(migrated, f"create role {role} login; revoke usage on schema public from public")

    done = migrated.invoke(task, env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})
    query(migrated, "grant usage on schema public to public")
    named = migrated.invoke(task, env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    query(migrated, f"drop owned by {role}; drop role {role}")
    assert (done.code, named.code) == (4, 4)
    for each in ("alembic_version", "conversations", "messages", "tasks", "users", "tasks_id_seq"):
        assert f"public.{each}" in named.stderr
    assert f"grant pg_read_all_data to {role}" in named.stderr
    assert "Traceback" not in done.stderr + named.stderr


def test_rows_that_row_security_hides_are_no_backup(migrated: Project) -> None:
    """F82: pg_dump's `--enable-row-security` would leave them out and say nothing."""
    add_user(migrated)
    database = database_of(migrated)
    role = f"reader_{database.name}"
    query(migrated, f"create role {role} login in role pg_read_all_data")
    query(migrated, "alter table users enable row level security; create policy none on users using (false)")

    done = migrated.invoke("backup", env={"DATABASE_URL": database.url.replace("postgres@", f"{role}@")})

    query(migrated, f"drop role {role}")
    assert done.code == 4, done.stderr
    assert "may not read public.users (row security hides rows of it)" in done.stderr
    assert names(migrated) == []


def test_the_way_back_holds_the_flag_of_a_protected_database(migrated: Project) -> None:
    done = migrated.invoke("backup", env={"APP_ENV": "production", **LASTING})

    assert done.stdout.splitlines()[0].endswith(" --allow swap`")


def test_json_is_one_object(migrated: Project) -> None:
    done = migrated.invoke("backup", "--json")

    result = answer(done.stdout)["result"]
    assert result["database"].startswith(database_of(migrated).name)
    assert result["restore"] == f"invoke restore {result['backup']['name']}"
    assert result["backup"]["revisions"] == [HEAD]
    assert result["backup"]["verified"] == "restore"
    assert {
        "path",
        "created_at",
        "size_bytes",
        "tables",
        "rows",
        "tool_version",
        "server_version",
        "seconds",
    } <= result["backup"].keys()


def test_a_folder_of_ones_own_is_used(migrated: Project) -> None:
    done = migrated.invoke("backup", env={"STILLROOM_BACKUP_DIR": "../elsewhere/deep"})

    assert done.code == 0, done.stderr
    assert len(list((migrated.path.parent / "elsewhere" / "deep").glob("t_*/manifest.json"))) == 1
    assert not folder(migrated).exists()


def test_a_backup_takes_a_snapshot_that_writers_do_not_spoil(migrated: Project) -> None:
    """F81: rows that are written together are in it together."""
    query(migrated, "create table a (n int); create table b (n int)")
    process = launch(migrated, "backup", "--json")
    with closing(database_of(migrated).connect()) as writer, writer.cursor() as cursor:
        while process.poll() is None:
            cursor.execute("begin; insert into a values (1); insert into b values (1); commit")

    code, stdout, stderr = finish(process)

    assert code == 0, stderr
    rows = {
        each["name"]: each["rows"] for each in manifest(migrated, answer(stdout)["result"]["backup"]["name"])["rows"]
    }
    assert rows["a"] == rows["b"]


def test_odd_tables_are_counted_in_the_dump_as_in_the_database(migrated: Project) -> None:
    query(
        migrated,
        r"""create table nothing (); insert into nothing default values; insert into nothing default values;
            create table computed (n int generated always as (1) stored); insert into computed default values;
            create schema "s. ""x"; create table "s. ""x"."od""d FROM stdin; (" ("c (1" text, "новый" text);
            insert into "s. ""x"."od""d FROM stdin; (" values (E'\\.\n\\.', 'COPY public.x (a) FROM stdin;'), (null, E'a\tb\\');
            create table parent (n int); create table child () inherits (parent); insert into child values (1);
            select lo_from_bytea(0, 'COPY public.y (a) FROM stdin;')""",
    )

    name = make_backup(migrated)

    rows = {each["name"]: each["rows"] for each in manifest(migrated, name)["rows"]}
    assert rows['od"d FROM stdin; ('] == 2
    assert [rows[each] for each in ("nothing", "computed", "parent", "child")] == [2, 1, 0, 1]
    assert migrated.invoke("restore", name, "--yes").code == 0
