"""A password to look for, and everywhere it could have gone."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Finished, Project

MARKER = "Kx7vQ2"
"""Stands on both sides of each awkward character, so that no part of a password goes unseen."""
AWKWARD = ["%", "@", ":", "/", "#", "?", "&", "+", " ", "'", '"', "\\", "[", "]", "$", "${}", "ü", "✓", "plain" * 12]
NAMES = [
    "percent", "at", "colon", "slash", "hash", "question", "ampersand", "plus", "blank", "quote", "double quote",
    "backslash", "opening", "closing", "dollar", "variable", "umlaut", "tick", "long and plain",
]  # fmt: skip


def password(characters: str) -> str:
    """Put characters between two markers."""
    return f"{MARKER}{characters}{MARKER}"


class Watch:
    """What a process and those it starts showed of themselves: argument lists and environments."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()

    @contextmanager
    def over(self, pid: int) -> Iterator[None]:
        """Look every few milliseconds as long as the block lasts."""
        stop = threading.Event()
        thread = threading.Thread(target=self._look_until, args=(stop, pid))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _look_until(self, stop: threading.Event, pid: int) -> None:
        while not stop.wait(0.01):
            for each in _family(str(pid)):
                for what in ("cmdline", "environ"):
                    try:
                        self.seen.add(Path("/proc", each, what).read_bytes())
                    except OSError:
                        continue

    @property
    def programs(self) -> set[str]:
        """The programs that were seen, by name."""
        return {Path(each.split(b"\0")[0].decode()).name for each in self.seen if b"=" not in each.split(b"\0")[0]}


def _family(pid: str) -> Iterator[str]:
    yield pid
    try:
        children = Path("/proc", pid, "task", pid, "children").read_text().split()
    except OSError:
        return
    for each in children:
        yield from _family(each)


def watched(project: Project, watch: Watch, *args: str, program: str = "invoke", stdin: str = "") -> Finished:
    """Run a task under the eyes of a watch."""
    process = subprocess.Popen(
        [sys.executable, "-m", program, *args],
        cwd=project.path, env=project.full_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with watch.over(process.pid):
        stdout, stderr = process.communicate(stdin, timeout=90)
    return Finished(stdout, stderr, process.returncode)


def leaks(project: Project, watch: Watch, *said: Finished) -> list[str]:
    """Name every place where a part of the password was seen; `.env` is where it belongs."""
    found = [f"output: {text}" for each in said for text in (each.stdout, each.stderr) if MARKER in text]
    found += [f"/proc: {each!r}" for each in watch.seen if MARKER.encode() in each]
    for path in project.path.parent.rglob("*"):
        if MARKER in str(path):
            found.append(f"name: {path}")
        if path.is_file() and path.name != ".env" and MARKER.encode() in path.read_bytes():
            found.append(f"file: {path}")
    return found
