"""Start `postgres` on a data folder and wait until it takes connections."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stillroom.core.sockets import PORT
from stillroom.edges.embedded.account import OWN_SERVER_HINT
from stillroom.edges.embedded.files import open_append
from stillroom.edges.embedded.logs import last_lines, log_size, read_log
from stillroom.edges.embedded.place import Place
from stillroom.edges.embedded.process import PAUSE_S, adopt, read_pid_file
from stillroom.edges.embedded.programs import Programs
from stillroom.errors import ToolError

STILL_IN_USE = "is still in use"
PR_SET_PDEATHSIG = 1
STOP_HINT = "`invoke server.stop`, then `invoke server.start`; a recovery after a crash may just need longer"


@dataclass(frozen=True)
class Manner:
    """How a server is started.

    Args:
        is_durable: Write to the disk as PostgreSQL promises.
        dies_with_parent: Stop when this process dies (Linux).
    """

    is_durable: bool
    dies_with_parent: bool


def start_process(place: Place, programs: Programs, *, manner: Manner, deadline: float) -> None:
    """Start the server and wait until it takes connections.

    Args:
        place: Its folders.
        programs: Its programs.
        manner: How it is started.
        deadline: When to give up, on the monotonic clock.

    Raises:
        ToolError: It ended, or is not ready in time; its last words are in the message.
    """
    while True:
        before = log_size(place.log)
        child = _launch(place, programs, manner)
        while child.poll() is None and not _is_ready(place.data, child.pid):
            require_time(place, deadline)
            time.sleep(PAUSE_S)
        if child.returncode is None:
            return
        words = read_log(place.log, before)
        if STILL_IN_USE not in words or time.monotonic() > deadline:
            hint = f"mend what the log names, or {OWN_SERVER_HINT}"
            raise ToolError(f"the embedded server did not start; its log says:\n{last_lines(words)}", hint=hint)
        time.sleep(10 * PAUSE_S)  # the sessions of a server that was killed are still on their way out


def require_time(place: Place, deadline: float) -> None:
    """Give up once the deadline is over.

    Raises:
        ToolError: It is; the end of the log is in the message.
    """
    if time.monotonic() > deadline:
        words = last_lines(read_log(place.log, 0))
        raise ToolError(
            f"the embedded server does not answer on {place.socket}; its log ends with:\n{words}", hint=STOP_HINT
        )


def _launch(place: Place, programs: Programs, manner: Manner) -> subprocess.Popen[bytes]:
    """Start `postgres` itself: no shell, no quoting, and our own child.

    `pg_ctl` would hide the cure for a stale pid file: told its number, postgres takes the file over (as Patroni does).
    """
    environment = dict(programs.environment)
    stale = read_pid_file(place.data)
    if stale:
        environment["PG_GRANDPARENT_PID"] = stale[0].strip()
    try:
        with os.fdopen(open_append(place.log), "ab") as output, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # preexec_fn among threads, 3.12: ours is one C call
            child = subprocess.Popen(
                [str(programs.folder / "postgres"), *_arguments(place, manner)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd="/",
                start_new_session=True,
                preexec_fn=_death_signal() if manner.dies_with_parent else None,  # noqa: PLW1509 - see above
                **programs.account.popen_options(),
            )
    except OSError as error:
        hint = "`invoke server.status` names its folders"
        raise ToolError(f"the embedded server did not start: {error}", hint=hint) from error
    adopt(child)
    return child


def _arguments(place: Place, manner: Manner) -> list[str]:
    """Put the settings on the command line: postgresql.conf may have been written where the folder was before."""
    arguments = ["-D", str(place.data), "-k", str(place.socket), "-h", "", "-p", PORT]
    arguments += ["-c", "timezone=UTC", "-c", "log_timezone=UTC"]
    if not manner.is_durable:
        arguments += ["-F", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
    return arguments


def _is_ready(data: Path, pid: int) -> bool:
    lines = read_pid_file(data)
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _death_signal() -> Callable[[], object] | None:
    """Return what asks Linux to stop the child, fast, when its parent dies; elsewhere there is no such call."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGINT)
