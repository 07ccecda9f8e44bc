"""`backup`: whatever goes wrong, there is no half backup and the older ones are untouched."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.commands.backing import folder, make_backup, names, tools_instead
from tests.commands.support import finish, holding_lock, interrupt, launch, query, until
from tests.servers import Project

WITH_FILES = """for each in "$@"; do case $each in --file=*) folder=${each#--file=};; esac; done
"$real" "$@"; for f in $(find "$folder" -name '*.dat.*' -size +2k); do"""


def sums(project: Project) -> dict[Path, bytes]:
    """Read every file of every backup."""
    return {each: each.read_bytes() for each in folder(project).rglob("*") if each.is_file() and each.name != ".lock"}


@pytest.mark.parametrize(
    ("tools", "said"),
    [
        pytest.param({"dump": "exit 1"}, "pg_dump (exit 1): it said nothing", id="exit 1"),
        pytest.param(
            {"dump": 'echo "pg_dump: error: connection to server failed" >&2; exit 1'},
            "pg_dump (exit 1): connection to server failed",
            id="an error",
        ),
        pytest.param(
            {"dump": '"$real" "$@"; echo "pg_dump: warning: rows are odd" >&2; exit 0'},
            "pg_dump (exit 0): warning: rows are odd",
            id="a warning with exit 0",
        ),
        pytest.param({"dump": "exit 0"}, "pg_dump (exit 0): it wrote nothing", id="nothing with exit 0"),
        pytest.param({"dump": "kill -9 $$"}, "pg_dump was ended by SIGKILL", id="killed"),
        pytest.param({"dump": f"{WITH_FILES} truncate -s -3 $f; done; exit 0"}, "the dump ", id="cut, exit 0"),
        pytest.param({"dump": f"{WITH_FILES} truncate -s 0 $f; done; exit 0"}, "public.many has 0 rows, the backup 1,000", id="emptied, exit 0"),
        pytest.param({"restore": "exit 1"}, "the dump could not be restored: pg_restore (exit 1)", id="unreadable"),
    ],
)  # fmt: skip
def test_a_tool_that_fails_leaves_nothing_and_touches_nothing(
    migrated: Project, tools: dict[str, str], said: str
) -> None:
    """F75, K11: also a dump that was cut, emptied or warned of with exit 0."""
    query(migrated, "create table many as select n, md5(n::text) from generate_series(1, 1000) n")
    good = make_backup(migrated)
    before = sums(migrated)
    tools_instead(migrated, **tools)

    done = migrated.invoke("backup")

    assert done.code == 5
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert names(migrated) == [good]
    assert sums(migrated) == before


def test_a_full_disk_leaves_nothing(migrated: Project) -> None:
    """F77."""
    query(migrated, "create table many as select n, md5(n::text) as text from generate_series(1, 20000) n")

    # A limit on the size of files stands for the disk: only pg_dump writes any that large.
    done = migrated.run("bash", "-c", f"ulimit -f 100; exec {sys.executable} -m invoke backup")

    assert done.code == 5
    assert names(migrated) == []


def test_a_backup_folder_that_cannot_be_written_is_said(migrated: Project) -> None:
    (migrated.path / "backups").write_text("not a folder")

    done = migrated.invoke("backup")

    assert done.code == 5
    assert "STILLROOM_BACKUP_DIR" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_dump_leaves_nothing(migrated: Project, number: int) -> None:
    """F76."""
    marker = migrated.path.parent / "started"
    tools_instead(migrated, dump=f'echo $$ > "{marker}"; exec sleep 60')
    process = launch(migrated, "backup")
    until(lambda: marker.exists() and marker.read_text())

    stopped = interrupt(process, number)

    assert stopped.code == 130
    assert stopped.stdout == ""
    assert "interrupted; no backup was made" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert stopped.seconds < 6
    assert names(migrated) == []
    assert not Path("/proc", marker.read_text().strip()).exists()


def test_an_interruption_while_waiting_for_the_lock_is_no_traceback(migrated: Project) -> None:
    with holding_lock(migrated):
        process = launch(migrated, "backup")
        at_it = "select count(*) from pg_stat_activity where application_name = 'stillroom backup'"
        until(lambda: query(migrated, at_it) == [(1,)])
        time.sleep(0.5)
        stopped = interrupt(process)

    assert stopped.code == 130
    assert "interrupted; no backup was made" in stopped.stderr
    assert "Traceback" not in stopped.stderr


@pytest.mark.parametrize("whom", ["child", "both"])
def test_what_a_kill_leaves_is_listed_as_that_and_swept_by_the_next_backup(migrated: Project, whom: str) -> None:
    """F76."""
    marker = migrated.path.parent / "started"
    tools_instead(migrated, dump=f'echo $$ > "{marker}"; exec sleep 60')
    process = launch(migrated, "backup")
    until(lambda: marker.exists() and marker.read_text())
    (run,) = folder(migrated).glob("*.partial/run.json")
    child = json.loads(run.read_text())["pid"]
    if whom == "both":
        # A child that sees its parent die tidies up: this one shall not get to it.
        os.kill(child, signal.SIGSTOP)
        process.kill()
    os.kill(child, signal.SIGKILL)
    code, _, stderr = finish(process)
    with contextlib.suppress(ProcessLookupError):  # a parent that lives ends it as well
        os.kill(int(marker.read_text()), signal.SIGKILL)

    listed = migrated.invoke("backups").stdout
    tools_instead(migrated)
    name = make_backup(migrated)

    assert code == (5 if whom == "child" else -9), stderr
    assert "unfinished: the next backup removes it" in listed
    assert names(migrated) == [name]


def test_a_server_that_stops_in_the_middle_leaves_nothing(migrated: Project) -> None:
    """F76: the session that holds the snapshot is ended."""
    marker = migrated.path.parent / "started"
    tools_instead(migrated, dump=f'echo $$ > "{marker}"; sleep 1')
    process = launch(migrated, "backup")
    until(lambda: marker.exists() and marker.read_text())
    query(
        migrated, "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'stillroom backup'"
    )

    code, _, stderr = finish(process)

    assert code in {4, 5}, stderr
    assert "Traceback" not in stderr
    assert names(migrated) == []
