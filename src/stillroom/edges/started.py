"""Programs that a child process of ours has started, told to its parent: it ends them where the child is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Set
from pathlib import Path

PATIENCE_S = 3.0  # from the friendly signal to the one that cannot be ignored
LOOK_EVERY_S = 0.05
BEGUN, ENDED = "program begun", "program ended"
_listeners: list[Callable[[str, int], None]] = []


def tell_of_programs(send: Callable[[str, int], None]) -> None:
    """Tell of every program from now on; in a process that has no parent of ours nobody is told."""
    _listeners.append(send)


@contextlib.contextmanager
def known(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let the parent know of a program that leads a process group of its own, until the block has ended it."""
    _tell(BEGUN, process.pid)
    try:
        yield
    finally:
        _tell(ENDED, process.pid)


def _tell(kind: str, pid: int) -> None:
    for each in _listeners:
        each(kind, pid)


def groups_in(session: int) -> set[int]:
    """Find the process groups of a session; none where the system has no `/proc`.

    A child that is killed between the start of a program and the telling of it leaves one that nobody was told of; it is
    in the child's session all the same.
    """
    found = set[int]()
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            state, _, group, of = each.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if int(of) == session and state != "Z":
                found.add(int(group))
    return found


def end_groups(leaders: Set[int]) -> None:
    """End programs with all that they started: asked first, and forced after some seconds."""
    until = time.monotonic() + PATIENCE_S
    left = {each for each in leaders if _signal(each, signal.SIGTERM)}
    while left and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        left = {each for each in left if _signal(each, 0)}
    for each in left:
        _signal(each, signal.SIGKILL)


def _signal(leader: int, number: int) -> bool:
    """Send a signal to a group; tell whether there was one."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
