"""The child's side of `run_in_child`: do the work, send its outcome, leave."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from stillroom.edges.interrupt import Interrupted, raise_interrupted, set_handlers
from stillroom.edges.process import mask_what_revisions_say
from stillroom.edges.started import tell_of_programs
from stillroom.errors import InterruptedRunError, StillroomError

LEAVE_WITHIN_S = 5.0
PULSE_EVERY_S = 0.5
_writing = threading.Lock()


@dataclass(frozen=True)
class Pipes:
    """The two pipes between parent and child.

    Args:
        reader: The parent's end of the child's messages.
        writer: The child's end.
        life: The child's end of a pipe that nobody writes to; it ends when the parent does.
        holder: The parent's end.
    """

    reader: int
    writer: int
    life: int
    holder: int

    @staticmethod
    def open() -> Pipes:
        """Make both pipes."""
        return Pipes(*os.pipe(), *os.pipe())

    def keep_parents(self) -> None:
        """Close what belongs to the child."""
        os.close(self.writer)
        os.close(self.life)

    def keep_childs(self) -> None:
        """Close what belongs to the parent: held open here, the life pipe would never end."""
        os.close(self.reader)
        os.close(self.holder)

    def close_parents(self) -> None:
        """Close the rest."""
        os.close(self.reader)
        os.close(self.holder)


def read_messages(received: bytearray) -> list[tuple[str, Any]]:
    """Take the whole messages out of what was received."""
    found = []
    while len(received) >= 4:
        (size,) = struct.unpack(">I", received[:4])
        if len(received) < 4 + size:
            break
        found.append(pickle.loads(bytes(received[4 : 4 + size])))  # noqa: S301  (written by our own child)
        del received[: 4 + size]
    return found


@dataclass
class Voice:
    """How the work speaks to the process outside.

    Args:
        send: Takes a kind of message and its value.
        is_watched: Somebody sees how far the work is.
    """

    send: Callable[[str, Any], None]
    is_watched: bool = False
    _last_pulse: float = 0.0

    def __call__(self, line: str) -> None:
        """Say a line on the parent's terminal."""
        self.send("say", line)

    def shows(self, line: str) -> None:
        """Show how far the work is, until the next line; an empty one takes it away."""
        if self.is_watched:
            self.send("progress", line)

    def pulse(self) -> None:
        """Give a sign of life; from the first one on the parent expects them."""
        now = time.monotonic()
        if now - self._last_pulse > PULSE_EVERY_S:
            self._last_pulse = now
            self.send("pulse", True)

    def begins(self, phase: str) -> None:
        """Say what is under way from now on, for the case that this process ends in it; empty for what was asked for."""
        self.send("phase", phase)

    def rest(self) -> None:
        """Say that no more signs of life are to be expected."""
        self._last_pulse = 0.0
        self.send("pulse", False)


def be_the_child(work: Callable[[Voice], Any], pipes: Pipes, *, is_watched: bool) -> NoReturn:
    """Do the work, send its outcome, and leave without running the parent's exit handlers."""
    set_handlers(raise_interrupted)
    try:
        pipes.keep_childs()
        # A session of its own: Ctrl-C reaches the parent alone, which passes it on once, and no terminal stops the child
        # for what it reads or prints there, with the locks held.
        os.setsid()
        _read_nothing()
        os.dup2(2, 1)  # what a revision prints is progress, never a result
        mask_what_revisions_say()
        tell_of_programs(lambda kind, pid: _send(pipes.writer, kind, pid))
        threading.Thread(target=_leave_with_the_parent, args=(pipes.life,), daemon=True).start()
        outcome: Any = (work(Voice(lambda kind, value: _send(pipes.writer, kind, value), is_watched)),)
        set_handlers(signal.SIG_IGN)
    except StillroomError as error:
        outcome = error
    except Interrupted:
        outcome = InterruptedRunError(
            "interrupted; no revision was under way", hint="`invoke status` shows where the database stands"
        )
    except BaseException:  # a bug: its traceback is for the developers, and the parent sees the exit code
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    set_handlers(signal.SIG_IGN)
    _send(pipes.writer, "outcome", outcome)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _read_nothing() -> None:
    """Let `input()` in a revision meet the end of the file, and not the terminal or the pipe that the parent asks."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    if nothing:
        os.close(nothing)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)


def _send(writer: int, kind: str, value: Any) -> None:
    """Write one message; a parent that is gone is noticed by the life pipe, not here in the middle of a step."""
    message = pickle.dumps((kind, value))
    view = memoryview(struct.pack(">I", len(message)) + message)
    with _writing, contextlib.suppress(BrokenPipeError):
        while view:
            view = view[os.write(writer, view) :]


def _leave_with_the_parent(life: int) -> None:
    """Stop as on SIGTERM when the parent was killed, so that nothing runs on unseen; leave for good if that hangs."""
    os.read(life, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LEAVE_WITHIN_S)
    os._exit(130)
