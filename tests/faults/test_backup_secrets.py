"""S01, S02, S03: a password is seen nowhere while backups are made, proven, copied, restored and rehearsed on."""

from __future__ import annotations

import contextlib
import os
import shlex
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands.backing import make_backup, names
from tests.commands.password_server import PasswordServer, password_server
from tests.commands.support import HEAD, write_revision
from tests.faults.secrets import AWKWARD, MARKER, Watch, leaks, password, watched
from tests.servers import Finished, Project, Server

WORST = password("".join(each for each in AWKWARD if not each.startswith("plain")))
SPY = """{{ echo "== $0 $*"; env; tr '\\0' '\\n' < /proc/$$/cmdline; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; }} >> {told}
{{ ls -lR --time-style=+ {project} {private}; grep -r --binary-files=text -l "{marker}" {project} {private} 2>/dev/null | grep -v '/\\.env$'; }} >> {files}
"""


@pytest.fixture(scope="module")
def guarded(server: Server) -> Iterator[PasswordServer]:
    """A server on TCP that asks for a password by SCRAM."""
    with password_server(server) as running:
        yield running


class Spies:
    """Programs in the place of PostgreSQL's and of the project's own, which write down all that they can see."""

    def __init__(self, project: Project, server: Server) -> None:
        beside = project.path.parent
        self.told, self.files, self.folder = beside / "told", beside / "seen-files", beside / "spies"
        self.folder.mkdir()
        look = SPY.format(
            told=shlex.quote(str(self.told)), files=shlex.quote(str(self.files)), marker=f"{MARKER[0]}[{MARKER[1]}]{MARKER[2:]}",
            project=shlex.quote(str(project.path)), private=shlex.quote(str(beside / "tmp")),
        )  # fmt: skip
        for name in ("pg_dump", "pg_restore"):
            real = shlex.quote(str(server.bin / name))
            self._write(
                name,
                f'{look}case "$*" in *--version*|*--format=custom*) exec {real} "$@";; esac\nsleep 0.1\nexec {real} "$@"',
            )
        self._write("carry", f"{look}exit 0")
        self._write("snap", f"{look}echo snap-1")

    def _write(self, name: str, body: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.folder / name).chmod(0o755)

    @property
    def leaks(self) -> list[str]:
        """Where the password was seen, but for the password file that belongs to the tools."""
        seen = [line for line in self.told.read_text(errors="replace").splitlines() if MARKER in line]
        lines = self.files.read_text(errors="replace").splitlines()
        return seen + [
            line for line in lines if line.startswith("/") and not is_private(line) and not line.endswith(":")
        ]


def is_private(line: str) -> bool:
    """A password file for libpq, which holds it as long as a tool runs."""
    return "/stillroom-tools-" in line


@contextmanager
def seen_private(project: Project) -> Iterator[set[int]]:
    """Collect the modes of the private folders and files that are made while the block runs."""
    stop, modes = threading.Event(), set[int]()

    def look() -> None:
        while not stop.wait(0.005):
            for folder, folders, files in os.walk(
                project.path.parent / "tmp"
            ):  # which heeds no folder that goes meanwhile
                for each in (*folders, *files):
                    with contextlib.suppress(OSError):
                        modes.add(Path(folder, each).lstat().st_mode & 0o777)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield modes
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def secretive(project: Project, guarded: PasswordServer, server: Server) -> Project:
    """A project whose password holds every awkward character, in `.env` alone."""
    (project.path.parent / "tmp").mkdir()
    project.environment |= {"TMPDIR": str(project.path.parent / "tmp"), "APP_ENV": "development"}
    (project.path / ".env").write_text(f"DATABASE_URL='{guarded.make(WORST)}'\n")
    return project


def test_a_password_with_every_special_character_is_seen_nowhere(secretive: Project, server: Server) -> None:
    """S01, S02, S03, F19: in argv and environment of every child, in every output, in every file, also meanwhile."""
    project, watch = secretive, Watch()
    spies = Spies(project, server)
    project.environment["STILLROOM_PG_BIN"] = str(spies.folder)

    def run(*tasks: str, code: int = 0) -> Finished:
        done = watched(project, watch, *tasks)
        assert done.code == code, (tasks, done.stderr)
        return done

    with seen_private(project) as modes:
        said = [run("migrate"), run("backup", "--verify", "restore")]
        (name,) = names(project)
        said += [
            run("backups.verify", name),
            run("restore", "--yes", name),
        ]
        write_revision(project, "aaaa00000001", "op.execute('create table first ()')")
        said += [run("rehearse", "--from", name), run("backup-then-migrate"), run("backup", "--json")]
        project.environment["STILLROOM_BACKUP_COPY_COMMAND"] = f"{spies.folder}/carry {{path}}"
        said += [run("backup"), run("backups")]
        project.environment |= {
            "STILLROOM_BACKUP_COMMAND": f"{spies.folder}/snap make",
            "STILLROOM_BACKUP_VERIFY_COMMAND": f"{spies.folder}/snap look {{id}}",
        }
        said += [run("backup", "--json"), run("backups.verify", "--all"), run("backups.prune", "--plan")]

    assert {"pg_dump", "pg_restore", "carry", "snap"} <= {
        line.split()[1].rpartition("/")[2] for line in told_starts(spies)
    }
    assert spies.leaks == []
    assert any(map(is_private, spies.files.read_text(errors="replace").splitlines())), "they would have found a file"
    assert leaks(project, watch, *said) == []
    assert modes <= {0o700, 0o600}
    assert [each.name for each in (project.path.parent / "tmp").iterdir()] == []


def told_starts(spies: Spies) -> list[str]:
    """The lines that say which program was spied on."""
    return [line for line in spies.told.read_text(errors="replace").splitlines() if line.startswith("== /")]


@pytest.mark.parametrize("task", [("backup", "--verify", "restore"), ("restore", "--yes"), ("rehearse",)])
def test_a_tool_that_fails_and_tells_all_it_knows_tells_no_password(
    secretive: Project, server: Server, task: tuple[str, ...]
) -> None:
    """S03: it prints its environment and its password file, and fails."""
    project, watch = secretive, Watch()
    said = [watched(project, watch, "migrate")]
    write_revision(project, "aaaa00000001", "op.execute('create table first ()')", down=HEAD)
    name = make_backup(project)
    instead = project.path.parent / "instead"
    instead.mkdir()
    for program in ("pg_dump", "pg_restore"):
        real = shlex.quote(str(server.bin / program))
        script = instead / program
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *--version*|*--format=custom*) exec {real} "$@";; esac\n{{ env; cat "$PGPASSFILE"; }} >&2\nexit 1\n'
        )
        script.chmod(0o755)
    project.environment["STILLROOM_PG_BIN"] = str(instead)

    said.append(watched(project, watch, *task, *([name] if task[0] == "restore" else [])))

    assert said[-1].code == 5, said[-1].stderr
    assert leaks(project, watch, *said) == []
