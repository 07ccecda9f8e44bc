"""Backups that are kept: damaged by chance, and deleted by a run that is killed."""

from __future__ import annotations

import os
import random
import shutil
import sys
from pathlib import Path

from stillroom.edges.backup_list import find_damage, read_backup, read_backups
from stillroom.edges.backup_locks import find_trash
from stillroom.edges.backup_trash import empty_trash, pruning, throw_away
from tests.commands.backing import folder, make_backup, put_backup
from tests.commands.support import query
from tests.counting import Counted
from tests.servers import Project

OS_CALLS = {"os.rename", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree", "open", "fcntl.flock"}


def prune_and_die(backup_dir: Path, goes: list[str], dies_at: int) -> bool:
    """Prune in a forked child that is killed at its n-th call of the file system; return whether it was."""
    pid = os.fork()
    if pid == 0:
        left = dies_at

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            if event in OS_CALLS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), 9)

        sys.addaudithook(count)
        with pruning(backup_dir):
            throw_away(backup_dir, goes)
            empty_trash(backup_dir)
        os._exit(0)
    return os.waitpid(pid, 0)[1] != 0


def test_a_kill_anywhere_leaves_no_half_backup_and_the_next_one_goes_on(
    tmp_path: Path, rounds: int, counted: Counted
) -> None:
    """F87: at every call of the file system, and at random ones with random backups."""
    seed = random.randrange(10**6)
    chance, tried, killed, in_trash = random.Random(seed), rounds * 40, 0, 0
    for number in range(tried):
        backup_dir = tmp_path / str(number)
        made = [put_backup(backup_dir, text="r" * chance.randrange(1, 9)) for _ in range(chance.randrange(2, 5))]
        goes = made[: chance.randrange(1, len(made))]
        killed += prune_and_die(backup_dir, goes, number + 1 if number < 60 else chance.randrange(1, 60))

        listed = read_backups(backup_dir)
        assert [find_damage(each) for each in listed] == [""] * len(listed), (seed, number)
        assert {each.name for each in listed} >= set(made) - set(goes), (seed, number)
        in_trash += bool(find_trash(backup_dir))
        if number % 2:
            put_backup(backup_dir)
        else:
            with pruning(backup_dir):
                throw_away(backup_dir, [each.name for each in listed if each.name in goes])
                empty_trash(backup_dir)
            assert {each.name for each in read_backups(backup_dir)} == set(made) - set(goes), (seed, number)
        assert find_trash(backup_dir) == (), (seed, number)
        shutil.rmtree(backup_dir)
    assert in_trash
    counted(f"{tried} prunes, {killed} killed (seed {seed}), {in_trash} left trash: no half backup, all went on")


def damages(backup: Path, other: Path, chance: random.Random) -> str:
    """K14: damage one file in one of six ways; return which."""
    paths = sorted(each for each in (backup / "dump").iterdir())
    path, kind = chance.choice(paths), chance.randrange(6)
    content = path.read_bytes()
    if kind == 0 and content:
        path.write_bytes(content[: chance.randrange(len(content))])
    elif kind == 1 and content.strip(b"\0"):
        start = chance.randrange(max(len(content) - 4096, 1))
        path.write_bytes(content[:start] + bytes(len(content[start : start + 4096])) + content[start + 4096 :])
    elif kind == 2 and content:
        place = chance.randrange(len(content))
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :])
    elif kind == 3 and content:
        path.write_bytes(b"")
    elif kind == 4:
        second = chance.choice([each for each in paths if each.read_bytes() != content])
        content, _ = second.read_bytes(), second.write_bytes(content)
        path.write_bytes(content)
    else:
        shutil.copy(other / "dump" / "toc.dat", backup / "dump" / "toc.dat")
        return "another backup's"
    return ("cut", "zeroed", "one bit", "emptied", "swapped")[kind]


def test_every_damage_is_found(migrated: Project, tmp_path: Path, rounds: int, counted: Counted) -> None:
    """F84, K14: 200 seeds and more, all found; some of them through the task."""
    query(migrated, "create table many as select n, md5(n::text) from generate_series(1, 2000) n")
    whole = folder(migrated) / make_backup(migrated)
    query(migrated, "alter table many add column later int")
    other = folder(migrated) / make_backup(migrated)
    start, tried, kinds = random.randrange(10**6), 200 if rounds <= 10 else 200 * rounds, dict[str, int]()
    copy, missed = tmp_path / "copies" / whole.name, []
    for seed in range(start, start + tried):
        shutil.copytree(whole, copy)
        kind = damages(copy, other, random.Random(seed))
        kinds[kind] = kinds.get(kind, 0) + 1
        same = all(each.read_bytes() == (whole / "dump" / each.name).read_bytes() for each in (copy / "dump").iterdir())
        assert not same, (seed, kind)
        missed += [] if find_damage(read_backup(copy)) else [seed]
        shutil.rmtree(copy)
    assert missed == []
    for seed in range(start, start + 5):
        spoilt = folder(migrated) / f"spoilt-20260101T00000{seed - start}Z-abc"
        shutil.copytree(whole, spoilt)
        damages(spoilt, other, random.Random(seed))
        assert migrated.invoke("backups.verify", spoilt.name).code == 6, seed
    assert migrated.invoke("backups.verify", whole.name).code == 0
    counted(f"{tried} damaged backups (seeds from {start}): {kinds}, all found")
