"""`backups`: what is there, newest first, and what cannot be used."""

from __future__ import annotations

from tests.commands.backing import folder, make_backup
from tests.commands.support import HEAD, answer
from tests.servers import Project


def test_without_backups_it_says_how_to_make_one(migrated: Project) -> None:
    done = migrated.invoke("backups")

    assert done.code == 0
    assert done.stdout == f"0 backups in {folder(migrated)}; `invoke backup` makes one\n"
    assert not folder(migrated).exists()


def test_the_newest_is_first(migrated: Project) -> None:
    first, second = make_backup(migrated), make_backup(migrated)

    done = migrated.invoke("backups")

    head, *rows, last = done.stdout.splitlines()
    assert head.split() == ["name", "revision", "size", "verified", "age"]
    assert [row.split()[:2] for row in rows] == [[second, HEAD], [first, HEAD]]
    assert all("restored and compared" in row for row in rows)
    assert last == f"2 backups in {folder(migrated)}"


def test_it_needs_no_database(migrated: Project) -> None:
    make_backup(migrated)

    done = migrated.invoke("backups", env={"DATABASE_URL": "postgresql://postgres@localhost:1/gone"})

    assert done.code == 0
    assert "1 backup in" in done.stdout


def test_damaged_and_unfinished_ones_are_named_and_not_counted(migrated: Project) -> None:
    cut, empty, good = (make_backup(migrated) for _ in range(3))
    toc = folder(migrated) / cut / "dump" / "toc.dat"
    toc.write_bytes(toc.read_bytes()[:-1])
    (folder(migrated) / empty / "manifest.json").unlink()
    (folder(migrated) / "notes").mkdir()

    done = migrated.invoke("backups")

    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert done.code == 0
    assert "damaged: dump/toc.dat has " in lines[cut]
    assert "damaged: it has no manifest" in lines[empty]
    assert "damaged" not in lines[good]
    assert "notes" not in lines
    assert done.stdout.splitlines()[-1] == f"1 backup in {folder(migrated)}, and 2 that cannot be used"


def test_json_is_one_object(migrated: Project) -> None:
    name = make_backup(migrated)

    (found,) = answer(migrated.invoke("backups", "--json").stdout)["result"]["backups"]

    assert found["name"] == name
    assert found["revisions"] == [HEAD]
    assert found["problem"] == ""
    assert found["verified"] == "restore"
    assert 0 <= found["age_s"] < 60
