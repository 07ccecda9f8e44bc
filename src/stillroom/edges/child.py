"""Run the steps in a forked child, and stay outside to see what a child cannot say.

A revision may end the process, hang, or be killed; the parent forwards signals, holds the deadline, and reports.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NoReturn

from stillroom.edges.terminal import Terminal
from stillroom.errors import InterruptedRunError, StillroomError

ANSWER_AFTER_SIGNAL_S = 5.0


@dataclass(frozen=True)
class Ended:
    """A child that ended without a result: by a signal, or because something in it left the process."""

    status: str


@dataclass
class _Watch:
    """What the parent knows of its child."""

    pid: int
    signals: int = 0
    answer_by: float | None = None
    received: bytearray = field(default_factory=bytearray)

    def forward(self, number: int, _: FrameType | None) -> None:
        self.signals += 1
        self.answer_by = time.monotonic() + ANSWER_AFTER_SIGNAL_S
        os.kill(self.pid, number if self.signals == 1 else signal.SIGKILL)


def run_in_child(work: Callable[[Callable[[str], None]], Any], terminal: Terminal, *, command: str) -> Any:
    """Run work in a forked child and return what it returned, or `Ended` when it left without a word.

    Args:
        work: Called in the child with a function that says a line on the parent's terminal.
        terminal: Where the child's lines go.
        command: The task, for the hint after a second signal.

    Raises:
        StillroomError: What the child raised.
        InterruptedRunError: A second signal, or no answer within 5 s of the first: the state is unknown.
    """
    if not hasattr(os, "fork"):
        return work(terminal.say)
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _be_the_child(work, writer)
    os.close(writer)
    watch = _Watch(pid)
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, watch.forward) for number in numbers}
    try:
        outcome = _listen(watch, reader, terminal)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        _, status = os.waitpid(pid, 0)
    if outcome is None and watch.signals:
        raise InterruptedRunError("interrupted; the state of the database is unknown", hint=f"`invoke status` shows it; `invoke {command}` goes on")
    if outcome is None:
        return Ended(_describe_status(status))
    if isinstance(outcome, StillroomError):
        raise outcome
    return outcome[0]


def _listen(watch: _Watch, reader: int, terminal: Terminal) -> Any:
    """Read messages until the child has answered or is gone; None when it left without an answer."""
    outcome = None
    while True:
        if watch.answer_by is not None and time.monotonic() > watch.answer_by:
            os.kill(watch.pid, signal.SIGKILL)
            watch.answer_by = None
        ready, _, _ = select.select([reader], [], [], 0.2)
        if not ready:
            continue
        chunk = os.read(reader, 65_536)
        if not chunk:
            return outcome
        watch.received += chunk
        for kind, value in _messages(watch.received):
            if kind == "say":
                terminal.say(value)
            else:
                outcome = value


def _messages(received: bytearray) -> list[tuple[str, Any]]:
    found = []
    while len(received) >= 4:
        (size,) = struct.unpack(">I", received[:4])
        if len(received) < 4 + size:
            break
        found.append(pickle.loads(bytes(received[4 : 4 + size])))  # noqa: S301  (written by our own child)
        del received[: 4 + size]
    return found


def _be_the_child(work: Callable[[Callable[[str], None]], Any], writer: int) -> NoReturn:
    """Do the work, send its outcome, and leave without running the parent's exit handlers."""
    # A group of its own: Ctrl-C reaches the parent alone, which passes it on once.
    os.setpgid(0, 0)
    os.dup2(2, 1)  # what a revision prints is progress, never a result

    def send(kind: str, value: Any) -> None:
        message = pickle.dumps((kind, value))
        view = memoryview(struct.pack(">I", len(message)) + message)
        while view:
            view = view[os.write(writer, view) :]

    code = 0
    try:
        send("outcome", (work(lambda line: send("say", line)),))
    except StillroomError as error:
        send("outcome", error)
    except BaseException:  # a bug: its traceback is for the developers, and the parent sees the exit code
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(code)


def _describe_status(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by signal {-code}" if code < 0 else f"left the process with exit code {code}"
