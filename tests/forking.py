"""Start `python -m invoke` and `python -m alembic` by a fork of a process that has loaded the libraries already.

Loading them is most of what a short task costs, and the same each time. What is forked is a Python as it is after the
imports of others' packages and of stillroom's own modules, but for those in which an import does more: nothing of a
project or of its settings is in it, no thread, no connection. What a task imports by itself, and when, is for the tests of
`tests/acceptance`, which start real processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

MODULES = ("invoke", "alembic")
# What Python itself reads when it starts cannot be given to one that runs.
FRESH = (
    "PYTHON",
    "LC_",
    "LANG",
    "LD_",
    "TZ",
    "MALLOC",
    "PYDANTIC",
    "SSL",
    "OPENSSL",
    "GCONV",
    "INVOKE",
    "SQLALCHEMY",
    "DISABLE",
)
NORMAL = {"LANG": "C.UTF-8"}
LOADS = (
    "invoke.main", "invoke.program", "alembic.command", "alembic.config", "alembic.autogenerate", "alembic.context",
    "sqlalchemy.orm", "sqlalchemy.dialects.postgresql.psycopg2", "sqlmodel", "psycopg2.extras", "psycopg2.sql", "dotenv",
)  # fmt: skip
# The ones make themselves known to Alembic, the others read the words of the command line while they are imported.
STAYS_OUT = ("stillroom.edges.alembic", "stillroom.tasks")
STREAMS = 3
ORDER_MOST_BYTES = 128 * 1024


def may_be_forked(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Tell whether a fork is the same as a process of its own would be."""
    is_ours = len(command) > 3 and command[0] == sys.executable and command[1] == "-m" and command[2] in MODULES
    is_short = sum(map(len, [*command, *environment, *environment.values()])) * 6 < ORDER_MOST_BYTES
    return (
        is_ours
        and is_short
        and not any(name.startswith(FRESH) and NORMAL.get(name) != value for name, value in environment.items())
    )


class Forker:
    """The process that forks, started at the first use; it ends with ours."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **NORMAL}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
            cwd=Path(__file__).resolve().parent.parent,
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        theirs.close()
        self.ours, self.one_at_a_time = ours, threading.Lock()

    def close(self) -> None:
        """Let it end."""
        self.ours.close()
        self.process.wait()

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        streams: Sequence[int],
        timeout: float,
    ) -> int:
        """Run a module in the folder and return its exit status, negative for a signal.

        Args:
            command: The interpreter, `-m`, the module and its arguments.
            folder: Where it runs.
            environment: All that it gets.
            streams: Its stdin, stdout and stderr.
            timeout: In seconds.

        Raises:
            subprocess.TimeoutExpired: It has not ended by then; it is killed.
        """
        order = {"argv": list(command[2:]), "folder": str(folder), "environment": dict(environment), "umask": _umask()}
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with mine:
            with its, self.one_at_a_time:
                socket.send_fds(self.ours, [json.dumps(order).encode()], [*streams, its.fileno()])
            pid = int(mine.recv(64))
            mine.settimeout(timeout)
            try:
                return int(mine.recv(64))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(list(command), timeout) from None


def _umask() -> int:
    """Read ours without changing it: other threads make files meanwhile."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("Umask:")[2].split()[0], 8)


_forkers: list[Forker] = []
_first = threading.Lock()


def run_forked(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], text: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Do what `subprocess.run` does with pipes and text.

    Raises:
        subprocess.TimeoutExpired: It has not ended by then, or what it left holds its pipes open.
    """
    with _first:
        if not _forkers:
            _forkers.append(Forker())
    pipes = [os.pipe() for _ in range(STREAMS)]
    theirs, ours = (pipes[0][0], pipes[1][1], pipes[2][1]), (pipes[0][1], pipes[1][0], pipes[2][0])
    said = ["", ""]
    threads = [
        threading.Thread(target=_write, args=(ours[0], text), daemon=True),
        *(threading.Thread(target=_read, args=(ours[number + 1], said, number), daemon=True) for number in range(2)),
    ]
    for each in threads:
        each.start()
    try:
        code = _forkers[0].run(command, folder, environment, theirs, timeout)
    finally:
        for each in theirs:
            os.close(each)
    for each in threads:
        each.join(timeout)
        if each.is_alive():
            raise subprocess.TimeoutExpired(list(command), timeout)
    return subprocess.CompletedProcess(list(command), code, *said)


def _write(descriptor: int, text: str) -> None:
    with contextlib.suppress(BrokenPipeError), open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)


def _read(descriptor: int, said: list[str], number: int) -> None:
    with open(descriptor, encoding="utf-8") as stream:
        said[number] = stream.read()


def stop() -> None:
    """End the process that forks, if there is one."""
    while _forkers:
        _forkers.pop().close()


def serve(channel: socket.socket) -> None:
    """Fork for each order that comes, until nobody is there any more."""
    import gc
    import importlib

    for name in [*LOADS, *_own_modules()]:
        importlib.import_module(name)
    assert not any(name.startswith(STAYS_OUT) for name in sys.modules), "an import has done more than to import"
    assert tempfile.tempdir is None, "TMPDIR was looked at before it is known"
    gc.collect()
    gc.freeze()
    ends = select.poll()
    ends.register(channel, select.POLLIN)
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for descriptor, _ in ends.poll():
            if descriptor == channel.fileno():
                order, given, _, _ = socket.recv_fds(channel, ORDER_MOST_BYTES, STREAMS + 1)
                if not order:
                    return
                reply = socket.socket(fileno=given.pop())
                if (pid := os.fork()) == 0:
                    for each in (channel, reply, *(waiting for _, waiting in running.values())):
                        os.close(each.detach())
                    for other in running:
                        os.close(other)
                    become(json.loads(order), given)
                for each in given:
                    os.close(each)
                reply.send(str(pid).encode())
                ended = os.pidfd_open(pid)
                ends.register(ended, select.POLLIN)
                running[ended] = pid, reply
            else:
                pid, reply = running.pop(descriptor)
                ends.unregister(descriptor)
                os.close(descriptor)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                with reply, contextlib.suppress(OSError):
                    reply.send(str(status).encode())


def _own_modules() -> list[str]:
    """Name the modules of stillroom whose import does nothing else."""
    root = Path(__file__).resolve().parent.parent / "src"
    files = [each.relative_to(root).with_suffix("") for each in sorted((root / "stillroom").rglob("*.py"))]
    names = [".".join(each.parts).removesuffix(".__init__") for each in files]
    return [each for each in names if not each.startswith(STAYS_OUT)]


def become(order: dict[str, object], streams: list[int]) -> None:
    """Be what `python -m` would be in that folder; never returns to the loop."""
    import runpy

    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(order["environment"])  # type: ignore[call-overload]
    os.umask(int(str(order["umask"])))
    os.chdir(str(order["folder"]))
    sys.path[0] = str(order["folder"])
    argv = order["argv"]
    assert isinstance(argv, list)
    sys.argv = argv
    sys.modules.pop("tests.forking", None)
    sys.modules.pop("tests", None)
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
