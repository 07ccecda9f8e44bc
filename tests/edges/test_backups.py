"""The folders of backups: private, swept when their writer is gone, renamed when they are whole."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stillroom.core.manifest import DUMP, Manifest, write_manifest
from stillroom.edges.backup_list import find_damage, read_backups
from stillroom.edges.backup_locks import is_being_written
from stillroom.edges.backups import publish, sync_and_hash, unfinished
from stillroom.errors import ToolError
from tests.core.test_manifest import MANIFEST


def write_dump(partial: Path, text: str = "rows") -> None:
    """Write what pg_dump might."""
    (partial / DUMP).mkdir()
    (partial / DUMP / "toc.dat").write_text(text)


def make(folder: Path, name: str = "shop-20260113T140211Z-abc", *, sequence: int = 1) -> Path:
    """Make a whole backup."""
    with unfinished(folder, "shop") as partial:
        write_dump(partial)
        manifest = Manifest(**(vars(MANIFEST) | {"files": sync_and_hash(partial), "sequence": sequence}))
        return publish(partial, name, lambda: write_manifest(manifest))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_backup_appears_whole_and_private(tmp_path: Path) -> None:
    """S18."""
    before = os.umask(0)
    try:
        made = make(tmp_path / "backups")
    finally:
        os.umask(before)

    assert sorted(each.name for each in made.iterdir()) == ["dump", "manifest.json"]
    assert [mode(made.parent), mode(made)] == [0o700, 0o700]
    assert [mode(made / "manifest.json"), mode(made / DUMP / "toc.dat")] == [0o600, 0o600]
    assert (made.parent / ".gitignore").read_text() == "*\n"


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with unfinished(tmp_path, "shop") as partial:
            write_dump(partial)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert not [each for each in tmp_path.iterdir() if each.is_dir()]


def test_a_name_that_is_taken_is_never_written_over(tmp_path: Path) -> None:
    """F61, F78, S19: a folder, a link or a file that was planted there gets nothing."""
    planted = tmp_path / "elsewhere"
    planted.mkdir()
    (tmp_path / "name-2").symlink_to(planted)
    (tmp_path / "name-3").write_text("a file")
    first = make(tmp_path, "name")

    second = make(tmp_path, "name")

    assert [first.name, second.name] == ["name", "name-4"]
    assert list(planted.iterdir()) == []


def test_what_is_being_written_is_left_alone_and_listed_as_that(tmp_path: Path) -> None:
    with unfinished(tmp_path, "shop") as partial:
        made = make(tmp_path)

        assert partial.exists()
        assert is_being_written(partial)
        assert [(each.path, each.problem) for each in read_backups(tmp_path)] == [
            (made, ""),
            (partial, "being written"),
        ]


def test_what_a_killed_run_left_is_swept_by_the_next(tmp_path: Path) -> None:
    """F76."""
    code = f"""
import os, pathlib
from stillroom.edges.backups import unfinished
with unfinished(pathlib.Path({str(tmp_path)!r}), "shop") as partial:
    (partial / "dump").mkdir()
    os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    left = [each.problem for each in read_backups(tmp_path)]
    foreign = tmp_path / "mine.partial"
    foreign.mkdir()

    made = make(tmp_path)

    assert left == ["unfinished: the next backup removes it"]
    assert {each for each in tmp_path.iterdir() if each.is_dir()} == {made, foreign}


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ToolError, match=r"File exists|Not a directory"), unfinished(tmp_path / "file", "shop"):
        pass


def test_the_list_is_newest_first_and_ignores_what_is_not_ours(tmp_path: Path) -> None:
    """S23: a plain dump, which psql would run commands of, is no backup."""
    assert read_backups(tmp_path / "none") == ()
    for number in (1, 3, 2):
        make(tmp_path, f"shop-2026011{number}T140211Z-abc", sequence=number)
    (tmp_path / "notes").mkdir()
    (tmp_path / "shop-20260114T140211Z-abc").write_text("\\! touch planted")
    (tmp_path / "link").symlink_to(tmp_path / "shop-20260111T140211Z-abc")

    found = [each.name for each in read_backups(tmp_path)]

    assert found == [f"shop-2026011{number}T140211Z-abc" for number in (3, 2, 1)]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "said", "is_seen_at_once"),
    [
        pytest.param(lambda each: _cut(each / "dump/toc.dat"), "has 3 bytes, not 4", True, id="cut"),
        pytest.param(lambda each: (each / "dump/toc.dat").unlink(), "is missing", True, id="gone"),
        pytest.param(lambda each: _flip(each / "dump/toc.dat"), "has changed", False, id="one bit"),
        pytest.param(lambda each: (each / "dump/more").touch(), "not in its manifest", False, id="something more"),
        pytest.param(lambda each: _cut(each / "manifest.json"), "", True, id="manifest without its last byte"),
        pytest.param(lambda each: (each / "manifest.json").unlink(), "it has no manifest", True, id="no manifest"),
        pytest.param(
            lambda each: (each / "manifest.json").write_text("{}"), "cannot be read", True, id="empty manifest"
        ),
        pytest.param(
            lambda each: (each / "manifest.json").write_bytes(b"\xff"), "cannot be read", True, id="not UTF-8"
        ),
    ],
)
def test_damage_is_found(tmp_path: Path, damage: object, said: str, is_seen_at_once: bool) -> None:
    """F84, F85, K14, S24."""
    made = make(tmp_path)
    assert callable(damage)
    damage(made)

    (found,) = read_backups(tmp_path)

    assert said in find_damage(found)
    if said:
        assert bool(found.problem) is is_seen_at_once


def test_large_files_are_hashed_several_at_a_time_and_in_order(tmp_path: Path) -> None:
    texts = {name: name.encode() * 20_000_000 for name in ("3.dat", "1.dat", "2.dat")}
    with unfinished(tmp_path / "backups", "shop") as partial:
        write_dump(partial)
        for name, text in texts.items():
            (partial / DUMP / name).write_bytes(text)

        found = sync_and_hash(partial)

    assert [each.path for each in found] == ["dump/1.dat", "dump/2.dat", "dump/3.dat", "dump/toc.dat"]
    assert [each.sha256 for each in found[:3]] == [hashlib.sha256(texts[name]).hexdigest() for name in sorted(texts)]
    assert [each.size_bytes for each in found] == [100_000_000, 100_000_000, 100_000_000, 4]
