"""`restore`: which backup is meant, whether it fits the server, and what would be lost by it, before anything is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import pytest

from stillroom.core.contents import Extension
from stillroom.core.manifest import DumpFile, Manifest, read_manifest, write_manifest
from tests.commands.backing import databases, folder, make_backup
from tests.commands.support import HEAD, TIMEZONE, add_user, answer, database_of, in_transaction, query
from tests.commands.test_restore import users
from tests.servers import Project


def rewrite(project: Project, name: str, change: Callable[[Manifest], Manifest]) -> None:
    """Write a backup's manifest anew, as whoever made it would have."""
    path = folder(project) / name / "manifest.json"
    path.write_text(write_manifest(change(read_manifest(path.read_text()))))


def in_contents(**changes: object) -> Callable[[Manifest], Manifest]:
    """Change something of what the database held."""
    return lambda manifest: replace(manifest, contents=replace(manifest.contents, **changes))  # type: ignore[arg-type]


def in_origin(**changes: object) -> Callable[[Manifest], Manifest]:
    """Change something of where the backup is from."""
    return lambda each: in_contents(origin=replace(each.contents.origin, **changes))(each)  # type: ignore[arg-type]


def test_the_newest_good_one_is_taken(migrated: Project) -> None:
    make_backup(migrated)
    good, bad = (make_backup(migrated) for _ in range(2))
    (folder(migrated) / bad / "dump" / "toc.dat").write_bytes(b"")

    done = migrated.invoke("restore", "--latest", "--yes", "--json")

    assert answer(done.stdout)["result"]["backup"] == good
    assert f"note:  {bad} is newer, and passed over: damaged: dump/toc.dat has 0 bytes" in done.stderr


def test_the_newest_one_at_a_revision_is_taken(migrated: Project) -> None:
    migrated.invoke("rollback", "--yes")
    earlier = make_backup(migrated)
    migrated.invoke("migrate")
    make_backup(migrated)

    done = migrated.invoke("restore", "--revision", TIMEZONE, "--yes", "--json")
    none = migrated.invoke("restore", "--revision", "abcd", "--yes")

    assert answer(done.stdout)["result"]["backup"] == earlier
    assert answer(done.stdout)["result"]["revisions"] == [TIMEZONE]
    assert answer(done.stdout)["result"]["was_at"] == [HEAD]
    assert none.code == 3
    assert "there is no good backup of it at revision abcd" in none.stderr


@pytest.mark.parametrize("args", [("some", "--latest"), ("--latest", "--revision", HEAD)])
def test_one_backup_is_named_in_one_way(migrated: Project, args: tuple[str, ...]) -> None:
    done = migrated.invoke("restore", *args)

    assert done.code in {1, 2}, done.stderr
    assert "Traceback" not in done.stderr


def test_the_plan_says_what_would_be_lost_and_does_nothing(migrated: Project) -> None:
    """F90: also what was written while the backup's snapshot was taken, by a transaction that ended later."""
    for each in ("ada", "bob", "eve"):
        add_user(migrated, f"{each}@example.com")
    query(migrated, "create table late (n int)")
    with in_transaction(migrated, "insert into late values (1)"):
        name = make_backup(migrated)
        query(
            migrated,
            "update users set display_name = 'E.' where email like 'eve%'; delete from users where email like 'bob%'",
        )
        add_user(migrated, "new@example.com")
        query(migrated, "create table newer as select 1 as n")
    before = databases(migrated)

    done = migrated.invoke("restore", name, "--plan")
    since = answer(migrated.invoke("restore", name, "--plan", "--json").stdout)["result"]["since"]

    assert done.code == 0, done.stderr
    assert "public.users 2 rows new or changed, 2 rows of the backup changed or deleted" in done.stdout
    assert "public.newer is new, with 1 row" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("would be restored; nothing was done")
    assert {each["table"] for each in since["tables"]} == {"public.users", "public.newer"}, (
        "the late one was rolled back"
    )
    assert databases(migrated) == before
    assert users(migrated) == 3


def test_a_transaction_that_was_under_way_and_ended_later_is_counted(migrated: Project) -> None:
    """F90."""
    query(migrated, "create table late (n int)")
    with closing(database_of(migrated).connect()) as other, other.cursor() as cursor:
        cursor.execute("begin; insert into late values (1)")
        name = make_backup(migrated)
        cursor.execute("commit")

    done = migrated.invoke("restore", name, "--plan")

    assert "written since: public.late 1 row new or changed" in done.stdout


def test_nothing_written_is_said_and_so_is_that_nobody_can_know(migrated: Project) -> None:
    """F90."""
    name = make_backup(migrated)

    unchanged = migrated.invoke("restore", name, "--plan")
    migrated.invoke("restore", name, "--yes")
    replaced = migrated.invoke("restore", name, "--plan")

    assert "nothing was written to its tables since" in unchanged.stdout
    assert "cannot be known: the backup is of another database, or of one that was replaced since" in replaced.stdout


def test_roles_that_are_missing_are_listed_before_anything_is_made(migrated: Project) -> None:
    """F95."""
    role = f"gone_{database_of(migrated).name}"
    query(migrated, f"create role {role}; alter table tasks owner to {role}")
    name = make_backup(migrated)
    query(migrated, f"alter table tasks owner to postgres; drop role {role}")

    refused = migrated.invoke("restore", name, "--yes")
    without = migrated.invoke("restore", name, "--no-owners", "--yes")

    assert refused.code == 3
    assert f"{role} own or may use something in it, and there is no such role here" in refused.stderr
    assert f'CREATE ROLE "{role}";' in refused.stderr
    assert without.code == 0, without.stderr
    assert "note:  owners and grants were left out" in without.stdout


def test_roles_of_policies_must_be_there_also_without_owners(migrated: Project) -> None:
    """F95: a policy that is left out may open rows, so that it is refused; also for a backup of an older stillroom."""
    role = f'gone "x" {database_of(migrated).name}'
    quoted = role.replace('"', '""')
    policy = f'create policy own on users for select to current_user, "{quoted}" using (false)'
    query(migrated, f'create role "{quoted}"; alter table users enable row level security; {policy}')
    name = make_backup(migrated)
    query(migrated, f'drop policy own on users; drop role "{quoted}"')

    refused = migrated.invoke("restore", name, "--no-owners", "--yes")
    rewrite(migrated, name, in_contents(named_roles=()))
    failed = migrated.invoke("restore", name, "--no-owners", "--yes")
    query(migrated, f'create role "{quoted}" nologin')
    done = migrated.invoke("restore", name, "--no-owners", "--yes")

    assert refused.code == 3
    assert f"policies or user mappings in it are for {role}, and there is no such role here" in refused.stderr
    assert failed.code == 5
    for each in (refused, failed):
        assert f'CREATE ROLE "{quoted}" NOLOGIN;' in each.stderr
        assert "--no-owners" not in each.stderr
    assert done.code == 0, done.stderr
    assert query(migrated, "select polname from pg_policy") == [("own",)]


def test_an_extension_that_is_missing_is_named(migrated: Project) -> None:
    """F97."""
    name = make_backup(migrated)
    rewrite(migrated, name, in_contents(extensions=(Extension("plpgsql", "0.9"), Extension("postgis", "3.4"))))
    missing = migrated.invoke("restore", name, "--yes")
    rewrite(migrated, name, in_contents(extensions=(Extension("plpgsql", "0.9"),)))
    other = migrated.invoke("restore", name, "--plan")

    assert missing.code == 3
    assert "needs the extension postgis 3.4, which this server does not have" in missing.stderr
    assert "note:  the extension plpgsql will be 1.0, and was 0.9" in other.stdout


def test_another_encoding_is_refused(migrated: Project) -> None:
    name = make_backup(migrated)
    rewrite(migrated, name, in_origin(encoding="LATIN1"))

    done = migrated.invoke("restore", name, "--yes")

    assert done.code == 3
    assert f"{name} is in LATIN1, and the database that it is for in UTF8" in done.stderr


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (b"PGDMP\x01\x63", "its archive has version 1.99, and this stillroom knows up to 1.16"),
        (b"-- PostgreSQL database dump", "its dump is no archive of pg_dump"),
    ],
)
def test_an_archive_that_no_tool_here_reads_is_refused_before_one_is_started(
    migrated: Project, header: bytes, said: str
) -> None:
    """F96, S23: a plain dump is none, whatever its manifest says."""
    name = make_backup(migrated)
    toc = folder(migrated) / name / "dump" / "toc.dat"
    content = header + toc.read_bytes()[len(header) :]
    toc.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()

    def change(manifest: Manifest) -> Manifest:
        files = [each for each in manifest.files if each.path != "dump/toc.dat"]
        return replace(manifest, files=(*files, DumpFile("dump/toc.dat", len(content), digest)))

    rewrite(migrated, name, change)

    done = migrated.invoke("restore", name, "--yes")

    assert done.code == 3
    assert said in done.stderr
    assert databases(migrated) == {database_of(migrated).name}


def test_a_superuser_restores_a_strangers_backup_only_when_that_is_said(migrated: Project) -> None:
    """S24: an index expression in it would run an outside command on the server."""
    name = make_backup(migrated)
    rewrite(migrated, name, in_origin(system_identifier="7"))

    refused = migrated.invoke("restore", name, "--yes")
    allowed = migrated.invoke("restore", name, "--yes", "--allow", "untrusted")

    assert refused.code == 3
    assert "comes from another server" in refused.stderr
    assert f"`invoke restore {name} --allow untrusted`" in refused.stderr
    assert allowed.code == 0, allowed.stderr


def test_an_ordinary_role_restores_a_strangers_backup(migrated: Project) -> None:
    """S24: what is in it runs with no more rights than the role has."""
    role = f"ordinary_{database_of(migrated).name}"
    name = make_backup(migrated)
    rewrite(migrated, name, in_origin(system_identifier="7"))
    query(migrated, f"create role {role} login createdb")
    url = database_of(migrated).url.replace("postgres@", f"{role}@")

    done = migrated.invoke("restore", name, "--into", f"{database_of(migrated).name}_copy", env={"DATABASE_URL": url})

    assert done.code == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_tables_that_are_gone_and_names_with_a_percent_are_said(migrated: Project) -> None:
    """F90."""
    query(migrated, 'create table "50%off" (n int); create table precious as select generate_series(1, 1000) n')
    name = make_backup(migrated)
    query(migrated, 'insert into "50%off" values (1); drop table precious')

    done = migrated.invoke("restore", name, "--plan")

    assert done.code == 0, done.stderr
    assert "public.50%off 1 row new or changed; public.precious is gone, with 1,000 rows" in done.stdout


@pytest.mark.parametrize(
    ("flags", "settings", "lacks"),
    [
        (("--schema-only",), {}, "no rows"),
        (("--exclude-table-data", "users"), {}, "without the rows of public.users"),
        ((), {"STILLROOM_BACKUP_SCHEMAS": "public"}, "the schemas public alone"),
    ],
)
def test_a_partial_backup_stands_for_no_whole_one(
    migrated: Project, flags: tuple[str, ...], settings: dict[str, str], lacks: str
) -> None:
    """F86: it is not the newest, is never swapped in, and no whole one is pruned for it."""
    add_user(migrated)
    whole = make_backup(migrated)
    partial = answer(migrated.invoke("backup", "--json", *flags, env=settings).stdout)["result"]["backup"]["name"]

    latest = migrated.invoke("restore", "--latest", "--plan", "--json")
    pruned = migrated.invoke("backups.prune", env={"STILLROOM_BACKUP_KEEP": "1", "STILLROOM_BACKUP_KEEP_DAYS": "0"})
    listed = {line.split()[0]: line for line in migrated.invoke("backups").stdout.splitlines()}
    beside = migrated.invoke("restore", partial, "--yes")

    assert answer(latest.stdout)["result"]["backup"] == whole
    assert pruned.code == 0, pruned.stderr
    assert lacks in listed[partial]
    assert whole in listed
    assert beside.code == 0, beside.stderr
    assert f"the backup is partial: {lacks}" in beside.stdout
    assert users(migrated) == 1


def test_a_setting_that_was_taken_away_since_does_not_come_back(migrated: Project) -> None:
    """F98: what is restored may ask for it, and the database in its place is set up as the present one is."""
    name = database_of(migrated).name
    query(migrated, f"alter database {name} set app.tenant = '7'; alter database {name} set work_mem = '7MB'")
    query(
        migrated,
        "create table ours (i int check (i = current_setting('app.tenant')::int)); insert into ours values (7)",
    )
    backup = make_backup(migrated)
    query(migrated, f"alter database {name} reset app.tenant")

    done = migrated.invoke("restore", backup, "--yes")

    assert done.code == 0, done.stderr
    assert "note:" not in done.stdout
    assert query(migrated, "select current_setting('app.tenant', true), current_setting('work_mem')") == [(None, "7MB")]
