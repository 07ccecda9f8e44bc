"""Kill a process of a task at a random point of its run, seen from the outside."""

from __future__ import annotations

import os
import random
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.commands.backing import tools_instead
from tests.commands.support import finish, launch, query
from tests.faults.intact import await_end_of
from tests.servers import Finished, Project

MB = 1_000_000
ROW_BYTES = 1000
SEVERAL = """
create table many_{number} as
select n, (select string_agg(encode(sha256((n * 100 + part)::text::bytea), 'base64'), '') from generate_series(1, 22) part) as text
from generate_series(1, {rows}) n
"""


def make_several_tables(project: Project, *, tables: int = 4, size_mb: float = 2) -> None:
    """Make tables that do not compress, so that a dump writes for a while and at several files."""
    for number in range(tables):
        query(project, SEVERAL.format(number=number, rows=int(size_mb * MB / ROW_BYTES)))


@dataclass(frozen=True)
class Tool:
    """A program of PostgreSQL's that leaves its process id when it begins.

    Args:
        project: Whose tools it is among.
        marker: The file that takes the process id.
    """

    project: Project
    marker: Path

    def begin(self) -> None:
        """Forget the last run."""
        self.marker.unlink(missing_ok=True)

    def pid(self) -> int:
        """The process id of the one that runs; 0 before it began."""
        text = self.marker.read_text().strip() if self.marker.exists() else ""
        return int(text or 0)


def traced(project: Project, program: str) -> Tool:
    """Let pg_dump or pg_restore note when it begins; the process stays the same when it becomes the real program."""
    marker = project.path.parent / "pid"
    note = f'case "$*" in *--file=-*) ;; *) echo $$ > {shlex.quote(str(marker))};; esac'
    if program == "dump":
        tools_instead(project, dump=note)
    else:
        tools_instead(project, restore=note)
    return Tool(project, marker)


def await_beginning(tool: Tool, process: subprocess.Popen[str]) -> int:
    """Wait, more closely than the tests usually do, until the tool runs."""
    end = time.monotonic() + 30
    while not (pid := tool.pid()):
        assert process.poll() is None, finish(process)
        assert time.monotonic() < end, "it did not begin"
        time.sleep(0.002)
    return pid


def measure(tool: Tool, task: Sequence[str]) -> float:
    """Run a task to its end, and return how many seconds the tool took in it."""
    tool.begin()
    process = launch(tool.project, *task)
    pid = await_beginning(tool, process)
    started = time.monotonic()
    await_end_of(pid)
    took = time.monotonic() - started
    code, _, stderr = finish(process)
    assert code == 0, stderr
    return took


def kill_in(tool: Tool, task: Sequence[str], delay_s: float, whom: str) -> Finished:
    """Run a task and kill somebody in it, some time after the tool began.

    Args:
        tool: Whose beginning starts the clock.
        task: What is typed behind `invoke`.
        delay_s: From there to the kill.
        whom: "tool", "child" (the process of ours that started the tool), "parent" or "both" of ours.
    """
    tool.begin()
    process = launch(tool.project, *task)
    pid = await_beginning(tool, process)
    children = children_of(process.pid)
    time.sleep(delay_s)
    victims = {"tool": [pid], "child": children, "parent": [process.pid], "both": [process.pid, *children]}
    for each in victims[whom]:
        shoot(each)
    code, stdout, stderr = finish(process)
    for each in [*children, pid]:
        if whom != "tool" and each == pid:
            shoot(each)  # nobody is left who would end it
        await_end_of(each)
    return Finished(stdout, stderr, code)


def shoot(pid: int) -> None:
    """Kill a process that may have ended."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def children_of(pid: int) -> list[int]:
    """The processes that one has started."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def spread(chance: random.Random, tries: int, over_s: float) -> list[float]:
    """Choose moments that are spread over a run: a random one in each of equal parts."""
    return [over_s * (number + chance.random()) / tries for number in range(tries)]
