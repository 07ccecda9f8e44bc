"""`backups.prune`: what the rule lets go, what stays and why; kills, readers and damage in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stillroom.edges.backup_locks import find_trash, in_use
from stillroom.edges.backup_trash import throw_away
from stillroom.edges.backups import unfinished
from stillroom.errors import RefusedError
from tests.commands.backing import folder, make_backup, names, put_backup, tools_instead
from tests.commands.support import answer, finish, interrupt, launch, until
from tests.servers import Project


@pytest.fixture
def five(project: Project) -> list[str]:
    """Five backups, the oldest first; two stay, and all are older than a week."""
    project.environment["STILLROOM_BACKUP_KEEP"] = "2"
    return [put_backup(folder(project), days=40 - number) for number in range(5)]


def flip(path: Path) -> None:
    """Change one bit; the size stays."""
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


def test_the_plan_deletes_nothing(project: Project, five: list[str]) -> None:
    done = project.invoke("backups.prune", "--plan")

    assert done.code == 0, done.stderr
    assert names(project) == sorted(five)
    assert [line.split()[:3] for line in done.stdout.splitlines()[2:5]] == [
        ["would", "go", name] for name in reversed(five[:3])
    ]
    assert "one of the 2 newest" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(
        "would go; 2 backups stay, 2 of them compared by SHA-256; `invoke backups.prune` deletes them"
    )


def test_it_deletes_what_the_plan_said_and_nothing_the_second_time(project: Project, five: list[str]) -> None:
    first, second = project.invoke("backups.prune"), project.invoke("backups.prune")

    assert (first.code, second.code) == (0, 0), first.stderr
    assert first.stdout.count("deleted  ") == 3
    assert second.stdout.splitlines()[-1] == f"nothing to prune in {folder(project)}, 2 backups stay"
    assert names(project) == sorted(five[3:])
    assert find_trash(folder(project)) == ()


def test_without_backups_nothing_is_made(project: Project) -> None:
    done = project.invoke("backups.prune")

    assert done.code == 0
    assert not folder(project).exists()


def test_real_backups_are_pruned_and_the_rest_can_be_restored(migrated: Project) -> None:
    old = [make_backup(migrated) for _ in range(3)]
    migrated.environment |= {"STILLROOM_BACKUP_KEEP": "1", "STILLROOM_BACKUP_KEEP_DAYS": "0"}

    done = migrated.invoke("backups.prune")

    assert done.code == 0, done.stderr
    assert names(migrated) == [old[2]]
    assert migrated.invoke("restore", old[2], "--yes").code == 0


def test_young_ones_stay(project: Project, five: list[str]) -> None:
    done = project.invoke("backups.prune", env={"STILLROOM_BACKUP_KEEP_DAYS": "39"})

    assert names(project) == sorted(five[2:])
    assert "younger than 39 days" in done.stdout


def test_one_good_and_nine_damaged_ones(project: Project) -> None:
    """F86: damaged ones neither count nor go; the good one is the oldest, and stays."""
    project.environment |= {"STILLROOM_BACKUP_KEEP": "1"}
    older, good, *damaged = [put_backup(folder(project), days=40 - number) for number in range(11)]
    for number, name in enumerate(damaged):
        dump = folder(project) / name / "dump" / "toc.dat"
        flip(dump) if number % 3 else dump.write_text("")

    done = project.invoke("backups.prune")

    assert done.code == 0, done.stderr
    assert names(project) == sorted([good, *damaged])
    assert done.stdout.count("damaged: ") == 9
    assert f"deleted  {older}" in done.stdout


def test_bits_that_were_flipped_later_save_an_older_one(project: Project, five: list[str]) -> None:
    """F86: hashes are compared before anything is deleted."""
    flip(folder(project) / five[4] / "dump" / "toc.dat")

    done = project.invoke("backups.prune")

    assert names(project) == sorted(five[2:])
    assert f"stays  {five[4]}  damaged: dump/toc.dat has changed" in done.stdout


def test_a_clock_that_goes_back_changes_nothing(project: Project) -> None:
    """F86: the counter decides; what is dated in the future is young."""
    project.environment["STILLROOM_BACKUP_KEEP"] = "1"
    first, future, last = (put_backup(folder(project), days=days) for days in (20, -400, 90))

    project.invoke("backups.prune")

    assert names(project) == sorted([future, last])
    assert first not in names(project)


def test_pinned_and_foreign_ones_stay(project: Project, five: list[str]) -> None:
    """F86: and one of another database, or another server, is counted for itself."""
    other = put_backup(folder(project), days=99, database="blog", server="blog on localhost as app")
    elsewhere = put_backup(folder(project), days=99, server="shop on db2 as app")
    same = put_backup(folder(project), days=98, server="shop on localhost as somebody")
    assert project.invoke("backups.pin", five[0], "--reason", "before the import").code == 0

    done = project.invoke("backups.prune")

    assert names(project) == sorted([five[0], five[4], other, elsewhere, same]), done.stdout
    assert f"stays  {five[0]}  pinned" in done.stdout


def test_one_that_is_read_stays(project: Project, five: list[str]) -> None:
    """F86."""
    with in_use(folder(project) / five[0]):
        plan, done = project.invoke("backups.prune", "--plan"), project.invoke("backups.prune")

    assert f"stays  {five[0]}  in use" in plan.stdout
    assert f"stays  {five[0]}  in use" in done.stdout
    assert names(project) == sorted([five[0], *five[3:]])


def test_one_that_is_being_restored_stays(migrated: Project) -> None:
    """F86: the child of a restore holds it, and a kill of the restore lets it go."""
    tools_instead(migrated)
    first, second = make_backup(migrated), make_backup(migrated)
    marker = migrated.path.parent / "started"
    tools_instead(migrated, restore=f'case "$*" in *--dbname*) echo $$ > "{marker}"; exec sleep 60;; esac')
    rule = {"STILLROOM_BACKUP_KEEP": "1", "STILLROOM_BACKUP_KEEP_DAYS": "0"}
    process = launch(migrated, "restore", first, "--yes")
    until(lambda: marker.exists() and marker.read_text())

    beside = migrated.invoke("backups.prune", env=rule)
    interrupt(process)
    after = migrated.invoke("backups.prune", env=rule)

    assert f"stays  {first}  in use" in beside.stdout
    assert f"deleted  {first}" in after.stdout
    assert names(migrated) == [second]


def test_one_that_was_pruned_a_moment_ago_is_refused(tmp_path: Path) -> None:
    """F86: who reads it next is told, and not handed half of it."""
    name = put_backup(tmp_path)
    path = tmp_path / name
    throw_away(tmp_path, [name])

    with pytest.raises(RefusedError, match="was pruned a moment ago"), in_use(path):
        pass


def test_one_that_was_pinned_meanwhile_stays(tmp_path: Path) -> None:
    """F86."""
    name = put_backup(tmp_path)
    (tmp_path / name / "pinned.json").write_text("not even JSON")

    assert throw_away(tmp_path, [name]) == {name: "pinned"}
    assert (tmp_path / name).is_dir()


def test_what_is_being_written_counts_for_nothing(project: Project, five: list[str]) -> None:
    """F86."""
    with unfinished(folder(project), "shop") as partial:
        done = project.invoke("backups.prune")

        assert partial.is_dir()
    assert done.stdout.count("stays  ") == 2
    assert names(project) == sorted(five[3:])


def test_two_at_once(project: Project, five: list[str]) -> None:
    ended = [finish(each) for each in [launch(project, "backups.prune") for _ in range(4)]]

    assert [code for code, _, _ in ended] == [0, 0, 0, 0], ended
    assert sum(stdout.count("deleted  ") for _, stdout, _ in ended) == 3
    assert names(project) == sorted(five[3:])


def test_a_link_among_the_backups_is_left_alone(project: Project, five: list[str]) -> None:
    """S19, S20: neither followed, nor deleted, nor taken for trash."""
    outside = project.path.parent / "outside"
    shutil.copytree(folder(project) / five[0], outside)
    (folder(project) / "shop-20200101T000000Z-abc").symlink_to(outside)
    (folder(project) / ".stillroom-trash-0123456789ab").symlink_to(outside)

    done = project.invoke("backups.prune")

    assert done.code == 0, done.stderr
    assert (outside / "manifest.json").is_file()
    assert (folder(project) / ".stillroom-trash-0123456789ab").is_symlink()


def test_json_is_one_object(project: Project, five: list[str]) -> None:
    result = answer(project.invoke("backups.prune", "--json").stdout)["result"]

    assert [each["name"] for each in result["gone"]] == list(reversed(five[:3]))
    assert [each["why"] for each in result["kept"]] == ["one of the 2 newest"] * 2
    assert (result["is_plan"], result["compared"]) == (False, 2)
