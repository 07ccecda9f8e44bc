"""Somebody who may write to the backup folder plants links and folders there while backups are made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from stillroom.edges.backup_list import find_damage, read_backup, read_backups
from stillroom.edges.backup_trash import empty_trash, throw_away
from stillroom.edges.backups import publish, unfinished
from stillroom.errors import ToolError
from tests.commands.backing import folder, put_backup
from tests.commands.support import HEAD, database_of, until
from tests.counting import Counted
from tests.servers import Project

PLANTER = """
import contextlib, os, random, sys, time
backups, outside, stem, end = sys.argv[1:]
chance, planted = random.Random(int(outside[-6:], 36)), []
def plant(name):
    path, kind = os.path.join(backups, name), chance.randrange(4)
    with contextlib.suppress(OSError):
        if kind == 0:
            os.symlink(outside, path)
        elif kind == 1:
            os.symlink(os.path.join(outside, "not-there"), path)
        elif kind == 2:
            os.mkdir(path)
        else:
            os.mkdir(path)
            os.symlink(os.path.join(outside, "mine"), os.path.join(path, "run.json"))
        planted.append(path)
        with open(os.path.join(outside, os.pardir, "count"), "a") as count:
            count.write("x")
def clear():
    while planted:
        path = planted.pop()
        with contextlib.suppress(OSError):
            os.unlink(path)
        with contextlib.suppress(OSError):
            os.unlink(os.path.join(path, "run.json"))
        with contextlib.suppress(OSError):
            os.rmdir(path)
os.makedirs(backups, exist_ok=True)
while True:
    for each in os.listdir(backups):
        if each.endswith(".partial"):
            plant(each)
    plant(f"{stem}-{chance.randrange(16**12):012x}.partial")
    for ahead in range(4):
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + ahead))
        for more in ("", "-2", "-3"):
            if chance.randrange(3):
                plant(f"{stem}-{moment}-{end}{more}")
    if chance.randrange(3) == 0:
        clear()
    time.sleep(0.003)
"""


@contextmanager
def planting(backup_dir: Path, outside: Path, stem: str, end: str) -> Iterator[None]:
    """Plant under the temporary and the final names, all the time."""
    outside.mkdir()
    (outside / "mine").write_text("mine")
    process = subprocess.Popen([sys.executable, "-c", PLANTER, str(backup_dir), str(outside), stem, end])
    try:
        until((outside.parent / "count").exists)
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def require_untouched(outside: Path) -> None:
    """Nothing was written where the links lead."""
    assert [each.name for each in outside.iterdir()] == ["mine"]
    assert (outside / "mine").read_text() == "mine"


def test_backups_in_a_race_with_planted_links_and_folders(migrated: Project, rounds: int, counted: Counted) -> None:
    """S19: backups end well or are refused, and nothing is written through a link."""
    outside, tries, ended = migrated.path.parent / "outside00", 2 * rounds, []
    name = database_of(migrated).name
    with planting(folder(migrated), outside, name, HEAD):
        for _ in range(tries):
            ended.append(migrated.invoke("backup"))

    require_untouched(outside)
    assert {each.code for each in ended} <= {0, 3, 5}, ended
    assert all("Traceback" not in each.stderr for each in ended)
    good = [Path(each.stdout.splitlines()[1]) for each in ended if each.code == 0]
    for path in good:
        assert not path.is_symlink()
        assert find_damage(read_backup(path)) == ""
    planted = (outside.parent / "count").stat().st_size
    counted(
        f"{tries} backups while {planted} links and folders were planted: {len(good)} whole, {tries - len(good)} refused"
    )


def test_many_publications_in_the_same_race(tmp_path: Path, counted: Counted) -> None:
    """S19: the same without a dump, so that the moments are met more often."""
    backups, outside, refused, made = tmp_path / "backups", tmp_path / "outside01", 0, []
    with planting(backups, outside, "shop", "abc"):
        for _ in range(300):
            try:
                made.append(put_backup(backups))
            except ToolError:
                refused += 1

    require_untouched(outside)
    for name in made:
        assert find_damage(read_backup(backups / name)) == ""
    planted = (tmp_path / "count").stat().st_size
    counted(f"300 publications while {planted} things were planted: {len(made)} whole, {refused} refused")
    assert len(made) > 200


def test_a_link_in_the_place_of_the_folder_under_way_is_no_backup(tmp_path: Path) -> None:
    """S19: who may write to the backup folder can rename what lies there; that is noticed before it gets its name."""
    outside = tmp_path / "outside"
    outside.mkdir()
    backups = tmp_path / "backups"
    with unfinished(backups, "shop") as partial:
        partial.rename(tmp_path / "moved")
        partial.symlink_to(outside)

        with pytest.raises(ToolError, match="is not the folder that was made for this backup any more"):
            publish(partial, "shop-20260101T000000Z-abc", lambda: "{}")

    assert list(outside.iterdir()) == []
    assert not [each for each in backups.iterdir() if each.is_dir() and not each.is_symlink()]


@pytest.mark.parametrize("name", [".lock", ".gitignore"])
def test_a_link_in_the_place_of_our_own_files_is_not_written_through(tmp_path: Path, name: str) -> None:
    """S19."""
    backups, outside = tmp_path / "backups", tmp_path / "outside"
    backups.mkdir()
    outside.write_text("mine")
    (backups / name).symlink_to(outside)

    with suppress(ToolError):
        put_backup(backups)

    assert outside.read_text() == "mine"


def test_a_list_that_is_read_while_backups_come_and_go_is_whole(tmp_path: Path, counted: Counted) -> None:
    """F86: who lists or makes one meanwhile is not disturbed by a prune."""
    pid = os.fork()
    if pid == 0:
        for _ in range(300):
            throw_away(tmp_path, [put_backup(tmp_path)])
            empty_trash(tmp_path)
        os._exit(0)
    seen = 0
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        listed = [each.problem for each in read_backups(tmp_path)]
        seen += len(listed)
        assert not [each for each in listed if each.startswith("damaged")], listed
    counted(f"a list read beside 300 backups that came and went: {seen} seen, none taken for damaged")
