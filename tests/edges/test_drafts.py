"""Drafts on a real file system, and the versions folder they end in."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stillroom.edges.drafts import read_draft, remove_draft, save_draft, write_draft
from stillroom.edges.versions_folder import locked, publish_draft, require_folder
from stillroom.errors import RefusedError, ToolError


def test_a_draft_is_written_saved_read_and_removed(tmp_path: Path) -> None:
    path = write_draft(tmp_path, "a.py", "one\n")

    save_draft(path, b"two\n")

    assert path == tmp_path / ".stillroom" / "drafts" / "a.py"
    assert read_draft(path) == b"two\n"
    remove_draft(path)
    assert read_draft(path) == b""
    assert list(path.parent.iterdir()) == []


def test_a_second_draft_of_one_name_is_refused(tmp_path: Path) -> None:
    path = write_draft(tmp_path, "a.py", "one\n")

    with pytest.raises(ToolError, match=r"a\.py cannot be written: File exists"):
        write_draft(tmp_path, "a.py", "two\n")

    assert path.read_text() == "one\n"


def test_publishing_moves_the_draft_whole(tmp_path: Path) -> None:
    path, target = write_draft(tmp_path, "a.py", "one\n"), tmp_path / "versions" / "a.py"

    publish_draft(path, target)

    assert target.read_text() == "one\n"
    assert not path.exists()
    assert list(target.parent.iterdir()) == [target]


def test_publishing_never_overwrites(tmp_path: Path) -> None:
    path, target = write_draft(tmp_path, "a.py", "one\n"), tmp_path / "versions" / "a.py"
    target.parent.mkdir()
    target.write_text("theirs\n")

    with pytest.raises(RefusedError, match="exists"):
        publish_draft(path, target)

    assert target.read_text() == "theirs\n"
    assert path.exists()


@pytest.mark.parametrize("number", [errno.EPERM, errno.EXDEV])
def test_a_file_system_without_links_gets_the_file_by_a_rename(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    path, target = write_draft(tmp_path, "a.py", "one\n"), tmp_path / "versions" / "a.py"

    publish_draft(path, target)

    assert target.read_text() == "one\n"
    assert list(target.parent.iterdir()) == [target]
    other = write_draft(tmp_path, "a.py", "two\n")
    with pytest.raises(RefusedError, match="exists"):
        publish_draft(other, target)
    assert target.read_text() == "one\n"


def test_a_versions_folder_that_leads_out_of_the_project_is_refused(tmp_path: Path) -> None:
    """F17."""
    outside, root = tmp_path / "outside", tmp_path / "project"
    outside.mkdir()
    root.mkdir()
    (root / "versions").symlink_to(outside)

    with pytest.raises(RefusedError, match=f"versions leads out of the project, to {outside}"):
        require_folder(root / "versions", root)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "versions").write_text("")

    with pytest.raises(RefusedError, match="no folder"):
        require_folder(tmp_path / "versions", tmp_path)


def test_a_folder_that_is_not_there_yet_is_fine(tmp_path: Path) -> None:
    require_folder(tmp_path / "migrations" / "versions", tmp_path)

    assert not (tmp_path / "migrations").exists()  # looked at, and not made


def test_the_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    """F15."""
    said: list[str] = []
    inside = threading.Event()

    def hold() -> None:
        with locked(tmp_path, wait_s=10, say=said.append):
            inside.set()
            time.sleep(0.5)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(10)
    started = time.monotonic()

    with locked(tmp_path, wait_s=10, say=said.append):
        waited = time.monotonic() - started

    holder.join()
    assert waited > 0.2
    assert said == ["waiting for another make-migration"]


def test_the_wait_for_the_lock_runs_out(tmp_path: Path) -> None:
    with (
        locked(tmp_path, wait_s=0, say=print),
        pytest.raises(RefusedError, match="another make-migration"),
        locked(tmp_path, wait_s=0, say=lambda _: None),
    ):
        pass


def test_a_full_disk_leaves_no_part_of_a_draft(tmp_path: Path) -> None:
    """F16."""
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom stillroom.edges.drafts import write_draft\n"
        "from stillroom.errors import ToolError\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try:\n    write_draft(Path(sys.argv[1]), 'a.py', 'x' * 1000)\nexcept ToolError as error:\n    print(error.exit_code)\n"
    )

    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)

    assert done.stdout == "5\n"
    assert list((tmp_path / ".stillroom" / "drafts").iterdir()) == []
