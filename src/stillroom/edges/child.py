"""Run the steps in a forked child, and stay outside to see what a child cannot say.

A revision may end the process, hang, or be killed; the parent forwards signals, holds the deadline, and reports. A
parent that is killed takes the child along: it notices, cancels its statement, and leaves.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from stillroom.edges.child_body import Pipes, be_the_child, read_messages
from stillroom.edges.interrupt import restore_handlers, set_handlers
from stillroom.errors import InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal

ANSWER_AFTER_SIGNAL_S = 5.0


@dataclass(frozen=True)
class Ended:
    """A child that ended without a result: by a signal, or because something in it left the process."""

    status: str


@dataclass
class _Watch:
    """What the parent knows of its child; no pid before the fork."""

    pid: int = 0
    signals: int = 0
    answer_by: float | None = None

    def forward(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on; the second one means now."""
        self.signals += 1
        self.answer_by = time.monotonic() + ANSWER_AFTER_SIGNAL_S
        if self.pid:
            os.kill(self.pid, number if self.signals == 1 else signal.SIGKILL)

    def begin(self, pid: int) -> None:
        """Know the child, and pass on what came during the fork."""
        self.pid = pid
        if self.signals:
            os.kill(pid, signal.SIGTERM)


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
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pipes, watch = Pipes.open(), _Watch()
    # Before the fork: a signal between it and the handlers would leave the child alone.
    before = set_handlers(watch.forward)
    try:
        pid = os.fork()
        if pid == 0:
            be_the_child(work, pipes)
        watch.begin(pid)
        pipes.keep_parents()
        try:
            outcome = _listen(watch, pipes.reader, terminal)
        finally:
            pipes.close_parents()
            _, status = os.waitpid(pid, 0)
    finally:
        restore_handlers(before)
    if outcome is None and watch.signals:
        raise InterruptedRunError(
            "interrupted; the state of the database is unknown",
            hint=f"`invoke status` shows it; `invoke {command}` goes on",
        )
    if outcome is None:
        return Ended(_describe_status(status))
    if isinstance(outcome, StillroomError):
        raise outcome
    return outcome[0]


def _listen(watch: _Watch, reader: int, terminal: Terminal) -> Any:
    """Read messages until the child has answered or is gone; None when it left without an answer."""
    outcome, received = None, bytearray()
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
        received += chunk
        for kind, value in read_messages(received):
            if kind == "say":
                terminal.say(value)
            else:
                outcome = value


def _describe_status(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by signal {-code}" if code < 0 else f"left the process with exit code {code}"
