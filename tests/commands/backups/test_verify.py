"""`backups.verify`: what was written then, and nothing else, is whole; it needs no database."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from stillroom.core.contents import TableRows
from stillroom.core.manifest import read_manifest, write_manifest
from stillroom.edges.backups import sync_and_hash
from tests.commands.backing import databases, folder, make_backup, names, put_backup, tools_instead
from tests.commands.support import add_user, answer, interrupt, launch, query, until
from tests.servers import Project

GONE = {"DATABASE_URL": "postgresql://postgres@localhost:1/gone"}


def test_it_says_what_was_compared_and_needs_no_server(migrated: Project) -> None:
    query(migrated, "insert into users (email, display_name) values ('ada@example.com', 'Ada')")
    name = make_backup(migrated)

    done = migrated.invoke("backups.verify", name, env=GONE)

    assert done.code == 0, done.stderr
    assert f"{name}: whole: " in done.stdout
    assert " compared by SHA-256, read in full by pg_restore " in done.stdout
    assert "2 rows of 5 tables counted as then" in done.stdout
    assert done.stderr == f"verifying {name}\n"


def test_all_of_them_with_a_damaged_one_is_exit_6(migrated: Project) -> None:
    good, bad = make_backup(migrated), make_backup(migrated)
    (folder(migrated) / bad / "dump" / "toc.dat").write_bytes(b"")

    done, told = migrated.invoke("backups.verify", "--all"), migrated.invoke("backups.verify", "--all", "--json")

    assert (done.code, told.code) == (6, 6)
    assert f"{good}: whole" in done.stdout
    assert f"{bad}: damaged: dump/toc.dat has 0 bytes" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 backup whole, 1 damaged"
    assert answer(told.stdout)["ok"] is False
    assert names(migrated) == sorted([good, bad])


@pytest.mark.parametrize("is_damaged", [False, True], ids=["whole", "damaged"])
def test_one_that_no_program_here_reads_keeps_no_other_from_being_verified(migrated: Project, is_damaged: bool) -> None:
    """F84, F96: that is no damage; exit 5, and 6 where another one is damaged."""
    good, unreadable = make_backup(migrated), put_backup(folder(migrated))
    path = folder(migrated) / unreadable
    (path / "dump" / "1.dat.zst").write_bytes(b"zstd")
    described = read_manifest((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(write_manifest(replace(described, files=sync_and_hash(path))))
    if is_damaged:
        (folder(migrated) / make_backup(migrated) / "dump" / "toc.dat").write_bytes(b"")

    done = migrated.invoke("backups.verify", "--all")
    alone = migrated.invoke("backups.verify", unreadable)

    assert done.code == (6 if is_damaged else 5)
    assert f"{good}: whole" in done.stdout
    assert f"{unreadable}: not verified: the dump is compressed with zstd, and no pg_restore here" in done.stdout
    damaged = ", 1 damaged" if is_damaged else ""
    assert done.stdout.splitlines()[-1] == f"1 backup whole{damaged}, 1 not verified"
    assert alone.code == 5


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param(lambda each: (each / "manifest.json").unlink(), "it has no manifest", id="no manifest"),
        pytest.param(lambda each: (each / "manifest.json").write_text("{}"), "cannot be read", id="empty manifest"),
        pytest.param(lambda each: (each / "dump" / "toc.dat").unlink(), "dump/toc.dat is missing", id="a file gone"),
        pytest.param(lambda each: (each / "dump" / "more").touch(), "dump/more is not in its manifest", id="one more"),
    ],
)
def test_damage_is_exit_6_and_names_the_file(migrated: Project, damage: Callable[[Path], object], said: str) -> None:
    """F84, F85."""
    name = make_backup(migrated)
    damage(folder(migrated) / name)

    done = migrated.invoke("backups.verify", name)

    assert done.code == 6
    assert f"error: {name}: damaged: " in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_manifest_whose_counts_were_edited_is_found(migrated: Project) -> None:
    """F85."""
    name = make_backup(migrated)
    path = folder(migrated) / name / "manifest.json"
    found = read_manifest(path.read_text())
    rows = tuple(replace(each, rows=3) if not each.rows else each for each in found.rows)
    path.write_text(write_manifest(replace(found, rows=rows)))

    done = migrated.invoke("backups.verify", name)

    assert done.code == 6
    assert " rows in it, and " in done.stderr


def test_a_pg_restore_that_does_not_run_is_no_damage(migrated: Project) -> None:
    tools_instead(migrated)
    name = make_backup(migrated)
    (migrated.path.parent / "tools" / "pg_restore").write_text("#!/nowhere\n")

    done = migrated.invoke("backups.verify", name)

    assert done.code == 5
    assert "pg_restore cannot be run" in done.stderr


def test_ctrl_c_is_130_and_leaves_no_pg_restore(migrated: Project) -> None:
    marker = migrated.path.parent / "started"
    tools_instead(migrated)
    name = make_backup(migrated)
    tools_instead(migrated, restore=f'echo $$ > "{marker}"; exec sleep 60')
    process = launch(migrated, "backups.verify", name)
    until(lambda: marker.exists() and marker.read_text())

    stopped = interrupt(process)

    assert stopped.code == 130
    assert stopped.seconds < 5
    assert "Traceback" not in stopped.stderr
    assert not Path("/proc", marker.read_text().strip()).exists()


@pytest.mark.parametrize("name", ["none", "../backups", "/etc", "a\nb", ""])
def test_only_a_listed_name_is_taken(project: Project, name: str) -> None:
    """S20."""
    put_backup(folder(project))

    done = project.invoke("backups.verify", name)

    assert done.code == (3 if name else 2)
    assert "Traceback" not in done.stderr


def test_without_a_name_and_without_all_nothing_is_verified(project: Project) -> None:
    assert project.invoke("backups.verify").code == 1


def test_all_of_none_is_whole(project: Project) -> None:
    done = project.invoke("backups.verify", "--all")

    assert (done.code, done.stdout) == (0, "0 backups whole\n")


def test_a_backup_is_restored_and_compared_once_more(migrated: Project) -> None:
    add_user(migrated)
    name = make_backup(migrated, "--verify", "read")
    proven = make_backup(migrated)
    in_manifest(migrated, proven, lambda each: replace(each, hash="7") if each.name == "users" else each)
    before = databases(migrated)

    done = migrated.invoke("backups.verify", name, "--verify", "restore")
    found = migrated.invoke("backups.verify", proven, "--verify", "restore")
    wrong = migrated.invoke("backups.verify", name, "--verify", "both")

    assert done.code == 0, done.stderr
    assert "restored into a scratch database on the same server, " in done.stdout
    assert found.code == 6
    assert "public.users has as many rows as the backup, and not the same ones" in found.stderr
    assert wrong.code == 2
    assert databases(migrated) == before


def in_manifest(project: Project, name: str, change: Callable[[TableRows], TableRows]) -> Project:
    """Change what a backup's manifest says of its tables."""
    path = folder(project) / name / "manifest.json"
    found = read_manifest(path.read_text())
    path.write_text(write_manifest(replace(found, rows=tuple(map(change, found.rows)))))
    return project


def test_another_servers_backup_is_tried_on_the_embedded_one_by_an_ordinary_role(migrated: Project) -> None:
    """S24: an expression in it would run there with all rights."""
    query(
        migrated,
        """create function who() returns text language sql immutable as $$ select current_user::text $$;
           create table mine (n int); insert into mine values (1); create index on mine ((public.who()))""",
    )
    name = make_backup(migrated)
    del migrated.environment["DATABASE_URL"]

    done = migrated.invoke("backups.verify", name, "--verify", "restore", "--json")

    assert done.code == 0, done.stdout + done.stderr
    (found,) = answer(done.stdout)["result"]["backups"]
    assert found["where"]
    asked = "echo \"select rolsuper from pg_roles where rolname = 'stillroom_copy'\""
    shown = migrated.run("sh", "-c", f"{asked} | {sys.executable} -m invoke server.psql")
    assert shown.stdout.splitlines()[2].strip() == "f", shown.stderr
