"""The file system, the programs of the machine, and the person at the terminal; more in tests/edges and tests/acceptance."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from stillroom.edges.backup_list import read_backups
from stillroom.edges.backups import file_system
from stillroom.edges.pg_tools import find_tools
from stillroom.edges.programs import find_program
from stillroom.edges.psql import find_psql
from stillroom.errors import ToolError
from tests.acceptance.reviewing import finish, start
from tests.commands.backing import make_backup, manifest, tools_instead
from tests.commands.revisions import VERSIONS, add_model, drafts, files
from tests.commands.support import write_revision
from tests.edges.test_backups import make
from tests.servers import Project

PLANTED = "#!/bin/sh\necho planted > {mark}\nexit 1\n"
MODULE = "open({mark!r}, 'w').write('planted')\n"


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """K5: put a full file system of 64 KiB in the place of a folder; what was there is copied to it."""
    there = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], check=True)
    try:
        for name, content in there.items():
            (folder / name).write_bytes(content)
        with suppress(OSError), (folder / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def small_files(_: Path) -> Iterator[None]:
    """K5 without root: no file may grow."""
    yield


def test_a_full_versions_folder_gets_no_part_of_a_revision(migrated: Project) -> None:
    """F16."""
    add_model(migrated)
    before, folder = files(migrated), migrated.path / VERSIONS
    disk = small_disk if os.geteuid() == 0 else small_files
    limit = "ulimit -f 0; " if disk is small_files else ""
    with disk(folder):
        names = sorted(each.name for each in folder.iterdir() if each.is_file())

        done = migrated.run("bash", "-c", f"{limit}exec {sys.executable} -m invoke make-migration -m notes")

        assert done.code == 5, done.stderr
        assert sorted(each.name for each in folder.iterdir() if each.is_file()) == names
    assert files(migrated) == before
    assert len(drafts(migrated)) == (1 if disk is small_disk else 0)


def test_a_backup_folder_without_rights_is_told_apart_from_a_full_one(tmp_path: Path) -> None:
    """S18, F16: the cure is another one."""
    hints = {}
    for number in (errno.EACCES, errno.ENOSPC, errno.EROFS):
        with pytest.raises(ToolError) as caught, file_system(tmp_path):
            raise OSError(number, os.strerror(number), str(tmp_path / "backups"))
        hints[number] = caught.value.hint

    assert "permission" in hints[errno.EACCES]
    assert "make room" in hints[errno.ENOSPC]
    assert "mount" in hints[errno.EROFS]
    assert all("STILLROOM_BACKUP_DIR" in each for each in hints.values())


def test_the_end_of_input_at_the_message_makes_no_revision(migrated: Project) -> None:
    """F58: Ctrl-D is no answer, Enter is."""
    add_model(migrated)
    before = files(migrated)
    child = start(migrated)
    child.expect(r"message \[create notes\]: ")
    child.sendeof()

    code, rest = finish(child)

    assert code == 3, rest
    assert "nothing was written" in rest
    assert (files(migrated), drafts(migrated)) == (before, [])


def test_a_terminal_closed_at_the_message_makes_no_revision(migrated: Project) -> None:
    """F58: the review and the editor are in tests/acceptance/test_review.py."""
    add_model(migrated)
    before = files(migrated)
    child = start(migrated)
    child.expect(r"message \[create notes\]: ")

    os.close(child.fileno())
    _, status = os.waitpid(child.pid, 0)

    assert os.waitstatus_to_exitcode(status) == 130
    assert (files(migrated), drafts(migrated)) == (before, [])


def test_a_poor_environment_shows_escapes_and_does_the_same(migrated: Project) -> None:
    """F60: locale C that nobody corrects, one column, no HOME."""
    write_revision(migrated, "000000000001", "pass", message="tâche ✓")
    poor = ["LC_ALL=C", "PYTHONUTF8=0", "PYTHONCOERCECLOCALE=0", "COLUMNS=1", "TERM=dumb"]

    done = migrated.run(
        "env",
        "-u",
        "HOME",
        "-u",
        "LANG",
        *poor,
        sys.executable,
        "-m",
        "invoke",
        "migrate",
        "history",
        "status",
        "backup",
    )

    assert done.code == 0, done.stderr
    assert "* 000000000001  t\\xe2che \\u2713" in done.stdout
    assert "restored into a scratch database on the same server and compared" in done.stdout


def test_backups_are_ordered_by_their_number_when_the_clock_jumps_back(tmp_path: Path) -> None:
    """F61, K13: a day back, and twice in one second; nothing is written over."""
    first = make(tmp_path, "shop-20260113T140211Z-abc", sequence=1)
    second = make(tmp_path, "shop-20260112T140211Z-abc", sequence=2)
    third = make(tmp_path, "shop-20260112T140211Z-abc", sequence=3)

    found = [each.name for each in read_backups(tmp_path)]

    assert found == [third.name, second.name, first.name]
    assert third.name == "shop-20260112T140211Z-abc-2"


def plant(folder: Path, mark: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(PLANTED.format(mark=mark))
        (folder / name).chmod(0o755)


@pytest.mark.parametrize("path", [".", "", "tools", "./tools"])
def test_no_program_is_taken_from_a_relative_part_of_the_path(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S15: git, the editor, psql, pg_dump."""
    mark = tmp_path / "mark"
    for folder in (tmp_path, tmp_path / "tools"):
        plant(folder, mark, "git", "nano", "psql", "pg_dump", "pg_restore")
    monkeypatch.chdir(tmp_path)

    assert find_program("nano", {"PATH": path}) is None
    assert all(not each.folder.is_relative_to(tmp_path) for each in find_tools(None, {"PATH": path}))
    with pytest.raises(ToolError):
        find_psql([], path=path, last=[])
    assert find_program("nano", {"PATH": f"{path}:{tmp_path}"}) == str(tmp_path / "nano")
    assert not mark.exists()


def test_programs_and_modules_planted_in_the_project_are_not_run(migrated: Project) -> None:
    """S14, S15, S16: beside the project's own code only what its files name is run."""
    add_model(migrated)
    mark, uploads = migrated.path.parent / "mark", migrated.path / "uploads"
    plant(uploads, mark, "git", "nano", "psql", "pg_dump", "pg_restore")
    for name in ("alembic", "sqlalchemy", "psycopg2", "models", "stillroom", "env", "dotenv"):
        (uploads / f"{name}.py").write_text(MODULE.format(mark=str(mark)))
    invoke = migrated.path.parent / "invoke"  # as pip writes it: `python -m` looks for modules in the current folder
    invoke.write_text("from invoke.main import program\nprogram.run()\n")
    path = f".:{os.environ['PATH']}"

    done = subprocess.run(
        [sys.executable, str(invoke), "backup", "make-migration", "-m", "notes", "migrate", "status"],
        cwd=uploads, env=migrated.full_environment({"PATH": path, "EDITOR": "touch mark; nano"}),
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert not mark.exists()


def test_the_program_that_made_a_backup_is_named_in_it(migrated: Project) -> None:
    """S15: its whole path and version, so that a foreign one can be told afterwards."""
    tools_instead(migrated)

    found = manifest(migrated, make_backup(migrated))

    assert found["tool"] == str(migrated.path.parent / "tools" / "pg_dump")
