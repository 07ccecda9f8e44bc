"""Where backups go: places that keep nothing, disks that are full, and the project's own commands."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.backing import folder, make_backup, manifest, names, tools_instead
from tests.commands.support import (
    HEAD,
    answer,
    current,
    finish,
    interrupt,
    launch,
    query,
    set_mark,
    until,
    write_revision,
)
from tests.counting import Counted
from tests.faults.killing import await_beginning, children_of, shoot, traced
from tests.servers import Project

MANY = "create table many as select n, encode(sha512(n::text::bytea), 'hex') as text from generate_series(1, %s) n"
FIRST = "aaaa00000001"


@contextmanager
def mounted(place: Path, kind: str, *options: str) -> Iterator[None]:
    """Mount a file system; needs root, and fails without."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", kind, kind, str(place), *options], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def on_a_layer(place: Path) -> Iterator[None]:
    """Mount an overlay as a container's own layer is one; its upper folder must lie on tmpfs or a disk."""
    below = place.parent / "below"
    with mounted(below, "tmpfs"):
        for each in ("lower", "upper", "work"):
            (below / each).mkdir()
        option = f"lowerdir={below}/lower,upperdir={below}/upper,workdir={below}/work"
        with mounted(place, "overlay", "-o", option):
            yield


def is_over(pid: int) -> bool:
    """Tell whether a process has ended; its entry may wait for whoever inherited it."""
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def away(migrated: Project) -> Path:
    """A script that copies a backup elsewhere, and where to."""
    there = migrated.path.parent / "away"
    there.mkdir()
    migrated.environment["STILLROOM_BACKUP_COPY_COMMAND"] = f"cp -a {{path}} {shlex.quote(str(there))}"
    return there


def pending(project: Project) -> None:
    write_revision(project, FIRST, "op.execute('create table first ()')")
    for command in (
        ("init", "-q"),
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "a"),
    ):
        assert project.run("git", *command).code == 0


@pytest.mark.parametrize("kind", ["tmpfs", "ramfs", "overlay"])
@pytest.mark.parametrize("by", ["mark", "APP_ENV"])
def test_production_is_not_backed_up_to_where_nothing_lasts(migrated: Project, kind: str, by: str) -> None:
    if by == "mark":
        set_mark(migrated, "production")
        migrated.environment.pop("APP_ENV")
    else:
        migrated.environment["APP_ENV"] = "production"
    place = folder(migrated)
    with on_a_layer(place) if kind == "overlay" else mounted(place, kind):
        refused = migrated.invoke("backup")
        pending(migrated)
        both = migrated.invoke("backup-then-migrate")
        planned = migrated.invoke("backup-then-migrate", "--plan")
        left = names(migrated)
        copied = migrated.invoke("backup", env={"STILLROOM_BACKUP_COPY_COMMAND": "true"})

        assert (refused.code, both.code) == (3, 3), (refused.stderr, both.stderr)
        assert f"({kind})" in refused.stderr
        assert planned.code == 3
        assert planned.stderr.splitlines()[-2:] == both.stderr.splitlines()[-2:]
        assert "STILLROOM_BACKUP_COPY_COMMAND" in refused.stderr
        assert left == []
        assert current(migrated) == [HEAD]
        assert copied.code == 0, copied.stderr


def test_development_may_be_backed_up_to_memory(migrated: Project) -> None:
    with mounted(folder(migrated), "tmpfs"):
        assert migrated.invoke("backup").code == 0


def test_a_volume_below_a_layer_lasts(migrated: Project) -> None:
    migrated.environment["APP_ENV"] = "production"
    volume = migrated.path.parent / "volume"
    volume.mkdir()
    with on_a_layer(folder(migrated)):
        inside = folder(migrated) / "deep"
        inside.mkdir()
        subprocess.run(["mount", "--bind", str(volume), str(inside)], check=True)
        try:
            done = migrated.invoke("backup", env={"STILLROOM_BACKUP_DIR": "backups/deep"})
        finally:
            subprocess.run(["umount", "--lazy", str(inside)], check=True)

    assert done.code == 0, done.stderr
    assert len(list(volume.glob("*/manifest.json"))) == 1


def test_a_copy_is_made_before_anything_is_migrated(migrated: Project, away: Path) -> None:
    pending(migrated)

    done = migrated.invoke("backup-then-migrate", "--json")

    name = answer(done.stdout)["result"]["backup"]["name"]
    assert done.code == 0, done.stderr
    assert (away / name / "manifest.json").read_bytes() == (folder(migrated) / name / "manifest.json").read_bytes()
    assert "; copied  " in migrated.invoke("backups").stdout
    assert current(migrated) == [FIRST]


def test_a_copy_that_fails_stops_before_the_first_revision(migrated: Project) -> None:
    pending(migrated)
    environment = {
        "STILLROOM_BACKUP_COPY_COMMAND": """sh -c 'echo "$AWS_SECRET_ACCESS_KEY $UNRELATED." >&2; echo ignored; exit 7' copy""",
        "AWS_SECRET_ACCESS_KEY": "Pl4ntedSecret",
        "UNRELATED": "not for you",
    }

    done = migrated.invoke("backup-then-migrate", env=environment)

    (name,) = names(migrated)
    assert done.code == 5
    assert f"{name} could not be copied: sh (exit 7): *** .; the backup stays in " in done.stderr
    assert "to go back to" not in done.stderr
    assert "Pl4ntedSecret" not in done.stderr + done.stdout
    assert current(migrated) == [HEAD]
    assert json.loads((folder(migrated) / name / "copied.json").read_text())["exit_code"] == 7
    assert "not copied (exit 7)" in migrated.invoke("backups").stdout
    assert migrated.invoke("backups.verify", name).code == 0


@pytest.mark.parametrize("command", ["no-such-program", "/etc/passwd", "scripts/none"])
def test_a_copy_that_cannot_be_run_is_exit_5(migrated: Project, command: str) -> None:
    done = migrated.invoke("backup", env={"STILLROOM_BACKUP_COPY_COMMAND": command})

    assert done.code == 5
    assert f"could not be copied: {command} " in done.stderr
    assert len(names(migrated)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_copy_ends_with_us(migrated: Project, number: int) -> None:
    pending(migrated)
    marker = migrated.path.parent / "started"
    command = f"sh -c 'sleep 600 & echo $! > {marker}; wait' copy"
    process = launch(migrated, "backup-then-migrate", env={"STILLROOM_BACKUP_COPY_COMMAND": command})
    until(lambda: marker.exists() and marker.read_text().strip())

    stopped = interrupt(process, number)

    assert stopped.code == 130
    assert "was copied; the backup stays in " in stopped.stderr
    until(lambda: not Path("/proc", marker.read_text().strip()).exists(), within_s=5)
    assert current(migrated) == [HEAD]
    assert len(names(migrated)) == 1


@pytest.mark.parametrize("task", ["backup", "backup-then-migrate"])
def test_a_copy_ends_with_the_child_that_runs_it(migrated: Project, task: str) -> None:
    """F76, K2: our child is killed; the parent ends the command, and the backup is listed as one that was not copied."""
    pending(migrated)
    marker = migrated.path.parent / "started"
    command = f"sh -c 'sleep 600 & echo $! > {marker}; wait' copy"
    process = launch(migrated, task, env={"STILLROOM_BACKUP_COPY_COMMAND": command})
    until(lambda: marker.exists() and marker.read_text().strip(), within_s=30)
    (child,) = children_of(process.pid)

    shoot(child)
    code, _, stderr = finish(process)

    (name,) = names(migrated)
    assert code == 5, stderr
    assert f"ended by signal 9 while {name} was copied, and the copy command was ended" in stderr
    assert is_over(int(marker.read_text()))
    assert current(migrated) == [HEAD]
    assert "not copied (no end of it is known)" in migrated.invoke("backups").stdout
    assert migrated.invoke("backups.verify", name).code == 0


def test_pg_dump_ends_with_the_child_that_runs_it(migrated: Project) -> None:
    """F76, K2."""
    tool = traced(migrated, "dump")
    tools_instead(migrated, dump=f"echo $$ > {shlex.quote(str(tool.marker))}; sleep 600")
    process = launch(migrated, "backup")
    pid = await_beginning(tool, process)
    (child,) = children_of(process.pid)

    shoot(child)
    code, _, stderr = finish(process)

    assert code == 5, stderr
    assert "the process that made the backup was ended by signal 9" in stderr
    assert is_over(pid)


@pytest.mark.parametrize("text", ["'open", "''"])
def test_a_command_that_is_none_is_exit_2(migrated: Project, text: str) -> None:
    assert migrated.invoke("backup", env={"STILLROOM_BACKUP_COPY_COMMAND": text}).code == 2


@pytest.fixture
def provider(migrated: Project) -> Path:
    """A provider of snapshots: a folder, and commands that make one there and look after it."""
    store = migrated.path.parent / "provider"
    store.mkdir()
    script = migrated.path / "scripts"
    script.mkdir()
    (script / "snap").write_text(
        f'#!/bin/sh\necho waiting >&2\ncase $1 in make) touch "{store}/snap-1"; echo made; echo snap-1;; look) test -e "{store}/$2";; esac\n'
    )
    (script / "snap").chmod(0o755)
    migrated.environment |= {
        "STILLROOM_BACKUP_COMMAND": "scripts/snap make",
        "STILLROOM_BACKUP_VERIFY_COMMAND": "scripts/snap look {id}",
    }
    return store


def test_a_managed_snapshot_stands_for_the_dump(migrated: Project, provider: Path) -> None:
    pending(migrated)

    done = migrated.invoke("backup-then-migrate")

    (name,) = names(migrated)
    listed, verified = migrated.invoke("backups"), migrated.invoke("backups.verify", name)
    restored = migrated.invoke("restore", name, "--yes")
    assert done.code == 0, done.stderr
    assert "the way back: restore snapshot snap-1 where it was made" in done.stdout
    assert current(migrated) == [FIRST]
    assert (manifest(migrated, name)["snapshot"], manifest(migrated, name)["revisions"]) == ("snap-1", [HEAD])
    assert "snapshot snap-1, verified by its command" in listed.stdout
    assert (verified.code, "snapshot snap-1 is there" in verified.stdout) == (0, True)
    assert restored.code == 3
    assert "restore snapshot snap-1 where it was made" in restored.stderr
    nobody = {"STILLROOM_BACKUP_COMMAND": "", "STILLROOM_BACKUP_VERIFY_COMMAND": ""}
    unset = migrated.invoke("backups.verify", "--all", env=nobody)
    assert (unset.code, "damaged" in unset.stdout) == (0, False)
    assert (
        f"{name}: not verified: of snapshot snap-1 nobody can be asked: STILLROOM_BACKUP_VERIFY_COMMAND is not set"
        in unset.stdout
    )
    assert migrated.invoke("backups.verify", name, env=nobody).code == 2
    (provider / "snap-1").unlink()
    assert migrated.invoke("backups.verify", name).code == 6


def test_after_a_failed_step_the_way_back_names_the_snapshot(migrated: Project, provider: Path) -> None:
    write_revision(migrated, FIRST, "op.execute('select 1/0')")

    done = migrated.invoke("backup-then-migrate")

    assert done.code == 4
    assert " UTC: restore snapshot snap-1" in done.stderr


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        pytest.param({"STILLROOM_BACKUP_COMMAND": "false"}, 5, "no snapshot was made: false (exit 1)", id="fails"),
        pytest.param({"STILLROOM_BACKUP_COMMAND": "true"}, 5, "its last line on stdout is no id", id="no id"),
        pytest.param({"STILLROOM_BACKUP_VERIFY_COMMAND": "false"}, 5, "snapshot snap-1 was made, and could not be verified", id="not verified"),
        pytest.param({"STILLROOM_BACKUP_VERIFY_COMMAND": ""}, 2, "STILLROOM_BACKUP_VERIFY_COMMAND is not set", id="nobody verifies"),
    ],
)  # fmt: skip
def test_a_snapshot_that_is_not_proven_migrates_nothing(
    migrated: Project, provider: Path, changes: dict[str, str], code: int, said: str
) -> None:
    pending(migrated)

    done = migrated.invoke("backup-then-migrate", env=changes)

    assert done.code == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert (names(migrated), current(migrated)) == ([], [HEAD])


def test_a_snapshot_leaves_no_rows_out(migrated: Project, provider: Path) -> None:
    assert migrated.invoke("backup", "--schema-only").code == 2
    assert names(migrated) == []


def test_the_room_is_asked_for_before_the_dump(migrated: Project) -> None:
    """F77: both numbers are said, and nothing is left."""
    with mounted(folder(migrated), "tmpfs", "-o", "size=1500k"):
        done = migrated.invoke("backup")

        assert done.code == 5
        assert "of room left, and the backup may take " in done.stderr
        assert "(0.5 times the database, without an earlier backup)" in done.stderr
        assert names(migrated) == []


def test_the_last_backup_tells_how_much_room_the_next_one_takes(migrated: Project) -> None:
    """F77."""
    query(migrated, MANY, 30_000)
    with mounted(folder(migrated), "tmpfs", "-o", "size=40m"):
        first = make_backup(migrated)
        rest = sum(each["size_bytes"] for each in manifest(migrated, first)["files"])
        free = subprocess.run(
            ["df", "--output=avail", "-B1", str(folder(migrated))], capture_output=True, text=True, check=True
        )
        (folder(migrated) / "filler").write_bytes(bytes(int(free.stdout.split()[-1]) - rest))

        done = migrated.invoke("backup")

        assert done.code == 5
        assert "(1.2 times the last backup)" in done.stderr
        assert names(migrated) == [first]
        assert migrated.invoke("backups.verify", first).code == 0


def test_a_disk_that_fills_up_in_the_dump_leaves_nothing(migrated: Project, rounds: int, counted: Counted) -> None:
    """F77, K5: at several sizes, from the first file to the last; older backups stay whole."""
    query(migrated, MANY, 60_000)
    codes, sizes = [], (1_400, 1_900, 2_500, 3_200, 4_000, 8_000) if rounds > 10 else (1_400, 2_500, 4_000, 8_000)
    for kilobytes in sizes:
        with mounted(folder(migrated), "tmpfs", "-o", f"size={kilobytes}k"):
            # Of its own kind there was only this small one: the estimate lets the next one begin.
            older = make_backup(migrated, "--exclude-table-data", "many")
            done = migrated.invoke("backup", "--exclude-table-data", "users")
            codes.append(done.code)
            assert done.code in {0, 5}, done.stderr
            assert "Traceback" not in done.stderr
            assert "of room left" not in done.stderr
            assert len(names(migrated)) == 1 + (done.code == 0), done.stderr
            assert migrated.invoke("backups.verify", older).code == 0
    assert (codes[0], codes[-1]) == (5, 0)
    counted(f"a disk of {sizes} kB that fills up in the dump: exits {codes}, no half backup, the older one whole")
