"""Where the embedded server can live: odd paths, root's home, full and foreign folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from stillroom.core.sockets import socket_folder
from stillroom.edges.embedded.binaries import find_binaries
from stillroom.edges.embedded.process import _is_postmaster_by_ps, find_postmaster
from stillroom.errors import ToolError
from tests.edges.embedded import IS_ROOT, SCRIPT, Actor, open_server
from tests.servers import discard_server

ODD = {
    "a blank": "a b",
    "quotes": "a'b\"c",
    "a comma": "a,b",
    "a dollar": "a$HOME",
    "a backslash": "a\\b",
    "an umlaut": "äöü",
    "a percent": "a%20b",
    "a leading dash": "-D",
    "very long": "/".join(["l" * 60] * 5),
}


@pytest.mark.parametrize("name", ODD.values(), ids=ODD.keys())
def test_odd_paths_work(actor: Actor, name: str) -> None:
    home = actor.home.parent / name / "home"

    answers = Actor(home, actor.user).act("start", "start", "state", "stop")

    assert [each.get("how") for each in answers[:2]] == ["started", "attached"]
    assert answers[2]["data"] == str(home / "data")
    assert answers[3]["stopped"]


def test_a_newline_in_the_path_which_postgresql_does_not_take_is_an_error_in_words(open_folder: Path) -> None:
    with pytest.raises(ToolError, match=r"did not start|could not make"):
        open_server(open_folder / "a\nb" / "home").start()


@pytest.mark.skipif(not IS_ROOT, reason="the case is root's")
def test_below_a_closed_folder_of_root_the_data_goes_where_the_server_can_reach_it() -> None:
    with tempfile.TemporaryDirectory(prefix="sr-closed-") as closed:  # 0700, as /root is
        server = open_server(Path(closed, "project", ".stillroom", "postgres"))
        server.start()
        try:
            state = open_server(server.home).state()

            assert state.is_running
            assert state.data == server.base / "data"
            assert str(server.base).startswith("/var/tmp/stillroom-")
            assert str(server.base) in state.note
            assert (server.home / "data-is-at").read_text() == f"{server.base}\n"
            assert Path(closed).stat().st_mode & 0o777 == 0o700
            assert server.base.stat().st_mode & 0o777 == 0o700
        finally:
            discard_server(server)


@pytest.mark.skipif(not IS_ROOT, reason="the case is root's")
def test_programs_below_a_closed_folder_of_root_are_copied_and_the_folder_stays_closed(open_folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="sr-closed-") as closed:
        package = find_binaries(None).folder.parent.parent
        for part in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(part, Path(closed, part.name), symlinks=True)
        programs = Path(closed, package.name, "pginstall", "bin")
        copies = set(Path("/var/tmp").glob("stillroom-bin-*"))
        server = open_server(open_folder / "home", binaries=find_binaries(programs))

        how = server.start()

        made = set(Path("/var/tmp").glob("stillroom-bin-*")) - copies
        server.stop()
        for each in made:
            shutil.rmtree(each)
        assert how == "started"
        assert len(made) == 1
        assert Path(closed).stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="the case is root's in a container")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="takes a right away from root")
def test_root_without_the_right_to_trace_still_knows_its_server(open_folder: Path) -> None:
    limited = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    command = [*limited, sys.executable, str(SCRIPT), str(open_folder / "home"), "start", "state", "stop"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert '"pid": null' not in done.stdout
    assert '"stopped": true' in done.stdout


@pytest.mark.skipif(not IS_ROOT, reason="only root can make another user's folder")
def test_a_folder_of_another_user_is_left_alone(open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, 54321, 54321)

    with pytest.raises(ToolError, match="belongs to 54321"):
        open_server(home).start()


@pytest.mark.skipif(not IS_ROOT, reason="only root can make another user's folder")
def test_a_socket_folder_that_somebody_laid_out_in_advance_is_not_used(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.socket.mkdir()
    os.chown(server.socket, 54321, 54321)

    with pytest.raises(ToolError, match="belongs to 54321"):
        server.start()


def test_a_folder_that_cannot_be_written_is_named(open_folder: Path) -> None:
    (open_folder / "file").write_text("")

    with pytest.raises(ToolError, match=r"file exists|not a directory") as caught:
        open_server(open_folder / "file" / "home").start()

    assert "DATABASE_URL" in caught.value.hint


@pytest.mark.skipif(not IS_ROOT, reason="as a plain user there is no closed folder to try it on that we could clean up")
def test_a_folder_that_the_user_may_not_write_is_named(open_folder: Path) -> None:
    answer = Actor(open_folder / "sub" / "home", "nobody").act("start")[0]

    assert answer["error"] == "tool"
    assert answer["message"].endswith(f"{open_folder}/sub: permission denied")


@pytest.mark.skipif(not IS_ROOT or sys.platform != "linux", reason="needs a small disk, which only root can mount")
def test_a_full_disk_is_an_error_in_words_and_leaves_no_half_made_data(open_folder: Path) -> None:
    small = open_folder / "small"
    small.mkdir()
    script = 'mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2" "$3" "$1/home" start state'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(small), sys.executable, str(SCRIPT)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    shutil.rmtree(socket_folder(small / "home", 0), ignore_errors=True)
    assert done.returncode == 5, done.stderr
    assert "No space left on device" in done.stdout
    assert done.stderr == ""


def test_ps_finds_the_server_as_well_as_proc_does(open_folder: Path) -> None:
    server = open_server(open_folder / "home")
    server.start()
    pid = find_postmaster(server.data)
    assert pid is not None

    assert _is_postmaster_by_ps(pid, server.data)
    assert not _is_postmaster_by_ps(os.getpid(), server.data)
    assert not _is_postmaster_by_ps(2**22 + 1, server.data)


def test_who_asks_for_the_socket_gets_the_folder_the_server_uses(open_folder: Path) -> None:
    home = open_folder / "home"

    assert open_server(home).socket == socket_folder(home, os.geteuid())
