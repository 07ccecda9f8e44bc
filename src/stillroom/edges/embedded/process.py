"""The server's main process: find it, end it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Literal

from stillroom.errors import ToolError

StopMode = Literal["smart", "fast", "immediate"]
PAUSE_S = 0.02
STOP_TIMEOUT_S = 60

_started: dict[int, subprocess.Popen[bytes]] = {}
"""Our own children by pid, kept so that one that died can be reaped: a zombie looks alive to PostgreSQL."""


def read_pid_file(data: Path) -> list[str]:
    """Return the lines of postmaster.pid; empty when there is none. The first is the pid, the eighth the status."""
    try:
        return (data / "postmaster.pid").read_text(errors="replace").splitlines()
    except OSError:
        return []


def find_postmaster(data: Path) -> int | None:
    """Return the live server of a data folder; None for a stale file, a zombie, or another program's number."""
    lines = read_pid_file(data)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    if pid in _started and _started[pid].poll() is not None:
        del _started[pid]
    is_ours = _is_postmaster_by_proc if Path("/proc/self/stat").exists() else _is_postmaster_by_ps
    return pid if is_ours(pid, data) else None


def adopt(child: subprocess.Popen[bytes]) -> None:
    """Remember a server this process started."""
    _started[child.pid] = child


def end_postmaster(data: Path, pid: int, mode: StopMode) -> None:
    """End the server and wait until it is gone.

    Raises:
        ToolError: It is still there after a minute.
    """
    number = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while find_postmaster(data) == pid:
        if time.monotonic() > deadline:
            message = f"the embedded server (pid {pid}) did not stop within {STOP_TIMEOUT_S} s"
            raise ToolError(message, hint=f"`kill -QUIT {pid}` ends it at once")
        time.sleep(PAUSE_S)
    if pid in _started:
        _started.pop(pid).wait(STOP_TIMEOUT_S)


def _is_postmaster_by_proc(pid: int, data: Path) -> bool:
    process = Path("/proc") / str(pid)
    try:
        state = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
        if state == "Z":
            return False
        return os.fsencode(data) in (process / "cmdline").read_bytes().split(b"\0") or _works_in(process, data)
    except OSError:
        return False


def _works_in(process: Path, data: Path) -> bool:
    """See a server whose folder was moved since it started; without the right to look, the answer is no."""
    try:
        return (process / "cwd").samefile(data)
    except OSError:
        return False


def _is_postmaster_by_ps(pid: int, data: Path) -> bool:
    """Ask `ps`, where there is no /proc (macOS)."""
    done = subprocess.run(["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, check=False)
    state, _, command = os.fsdecode(done.stdout).strip().partition(" ")
    return bool(state) and not state.startswith("Z") and str(data) in command
