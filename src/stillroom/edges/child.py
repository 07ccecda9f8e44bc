"""Run the steps in a forked child, and stay outside to see what a child cannot say.

A revision may end the process, hang, or be killed; the parent forwards signals, holds the deadline, and reports. A
parent that is killed takes the child along: it notices, cancels its statement, and leaves. A child that is killed takes
the programs along that it has started: the parent knows of them, and ends them.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

from stillroom.edges.child_body import Pipes, Voice, be_the_child, read_messages
from stillroom.edges.interrupt import ignore_signals, restore_handlers, set_handlers
from stillroom.edges.started import BEGUN, ENDED, end_groups, groups_in
from stillroom.errors import AnswerNoError, DatabaseError, InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal

ANSWER_AFTER_SIGNAL_S = 5.0


@dataclass(frozen=True)
class Ended:
    """A child that ended without a result: by a signal, or because something in it left the process.

    Args:
        status: How it ended, in words.
        phase: What was under way; empty for what was asked for.
        was_killed: By a signal that no program sends itself: somebody did, or the system for want of memory.
    """

    status: str
    phase: str = ""
    was_killed: bool = False


@dataclass
class _Watch:
    """What the parent knows of its child; no pid before the fork, and none after its end: the number may be another's."""

    longest_silence_s: float
    pid: int = 0
    status: int | None = None
    signals: int = 0
    answer_by: float | None = None
    silent_since: float | None = None
    is_overdue: bool = False
    phase: str = ""
    programs: set[int] = field(default_factory=set)

    def forward(self, number: int, _: FrameType | None) -> None:
        """Pass a signal on; the second one means now."""
        self.signals += 1
        self.answer_by = time.monotonic() + ANSWER_AFTER_SIGNAL_S
        if self.pid:
            # It may have ended a moment ago.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number if self.signals == 1 else signal.SIGKILL)

    def heard(self, *, is_working: bool) -> None:
        """Note a sign of life; none is expected after the work."""
        self.silent_since = time.monotonic() if is_working else None

    def note(self, kind: str, value: Any) -> None:
        """Note what the child says of itself, for the case that it is killed."""
        if kind == BEGUN:
            self.programs.add(value)
        elif kind == ENDED:
            self.programs.discard(value)
        elif kind == "phase":
            self.phase = value

    def look(self) -> None:
        """Stop a child that has given no sign of life for too long, and kill one that does not leave when told."""
        now = time.monotonic()
        if self.pid and self.answer_by is not None and now > self.answer_by:
            os.kill(self.pid, signal.SIGKILL)
            self.answer_by = None
        if self.pid and self.silent_since is not None and now - self.silent_since > self.longest_silence_s:
            self.silent_since, self.is_overdue = None, True
            self.answer_by = now + ANSWER_AFTER_SIGNAL_S
            os.kill(self.pid, signal.SIGTERM)

    def has_ended(self) -> bool:
        """Ask whether the child is gone, without waiting for it."""
        if self.pid:
            self._note(*os.waitpid(self.pid, os.WNOHANG))
        return self.status is not None

    def await_end(self) -> int:
        """Wait for the child to be gone, and return its status."""
        if self.pid:
            self._note(*os.waitpid(self.pid, 0))
        assert self.status is not None, "waitpid without WNOHANG returns when the child has ended"
        return self.status

    def _note(self, pid: int, status: int) -> None:
        if pid:
            self.pid, self.status = 0, status

    def begin(self, pid: int) -> None:
        """Know the child, and pass on what came during the fork."""
        self.pid = pid
        if self.signals:
            os.kill(pid, signal.SIGTERM)


def run_in_child(
    work: Callable[[Voice], Any], terminal: Terminal, *, command: str, longest_silence_s: float = float("inf")
) -> Any:
    """Run work in a forked child and return what it returned, or `Ended` when it left without a word.

    Args:
        work: Called in the child with the voice by which it reaches the parent.
        terminal: Where the child's lines go.
        command: The task, for the hint after a second signal.
        longest_silence_s: Between two signs of life, in seconds, once the first was given; longer is an endless loop.

    Raises:
        StillroomError: What the child raised.
        DatabaseError: No sign of life for too long; it was stopped. AnswerNoError where that was in a trial.
        InterruptedRunError: A second signal, or no answer within 5 s of the first: the state is unknown.
    """
    if not hasattr(os, "fork"):
        return work(Voice(lambda kind, value: terminal.say(value) if kind == "say" else None))
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    pipes, watch, outcome = Pipes.open(), _Watch(longest_silence_s), None
    # Before the fork: a signal between it and the handlers would leave the child alone.
    before = set_handlers(watch.forward)
    try:
        pid = os.fork()
        if pid == 0:
            be_the_child(work, pipes, is_watched=terminal.is_watched)
        watch.begin(pid)
        pipes.keep_parents()
        try:
            outcome = _listen(watch, pipes.reader, terminal)
        finally:
            pipes.close_parents()
            terminal.show_progress("")
            status = watch.await_end()
            end_groups(watch.programs | (groups_in(pid) if outcome is None else set()))
    finally:
        if watch.signals and (outcome is None or isinstance(outcome, InterruptedRunError)):
            ignore_signals()
        else:
            restore_handlers(before)
    if watch.is_overdue and outcome is None:
        return Ended(
            f"gave no sign of life for {longest_silence_s:.0f} s, did not leave when told, and was killed", watch.phase
        )
    if watch.is_overdue and isinstance(outcome, InterruptedRunError):
        raise (AnswerNoError if watch.phase else DatabaseError)(
            f"no statement began or ended for {longest_silence_s:.0f} s, so it was stopped: {outcome.message}",
            hint="look for an endless loop in the revision; STILLROOM_STATEMENT_TIMEOUT_MS sets how long is long",
        )
    if outcome is None and watch.signals:
        raise InterruptedRunError(
            "interrupted; the state of the database is unknown",
            hint=f"`invoke status` shows it; `invoke {command}` goes on",
        )
    if outcome is None:
        return Ended(_describe_status(status), watch.phase, os.waitstatus_to_exitcode(status) == -signal.SIGKILL)
    if isinstance(outcome, StillroomError):
        raise outcome
    return outcome[0]


def _listen(watch: _Watch, reader: int, terminal: Terminal) -> Any:
    """Read messages until the child has answered or is gone; None when it left without an answer."""
    received = bytearray()
    while True:
        watch.look()
        # Asked before the look: what the child has sent is in the pipe by the time that it is gone.
        has_ended = watch.has_ended()
        ready, _, _ = select.select([reader], [], [], 0 if has_ended else 0.2)
        if not ready and has_ended:
            return None  # a process that the work has left running holds the pipe open
        if not ready:
            continue
        chunk = os.read(reader, 65_536)
        if not chunk:
            return None
        received += chunk
        for kind, value in read_messages(received):
            watch.heard(is_working=value if kind == "pulse" else watch.silent_since is not None)
            if kind == "say":
                terminal.say(value)
            elif kind == "progress":
                terminal.show_progress(value)
            elif kind != "outcome":
                watch.note(kind, value)
            else:
                # What the work has left running may hold the pipe open for long.
                return value


def _describe_status(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by signal {-code}" if code < 0 else f"left the process with exit code {code}"
