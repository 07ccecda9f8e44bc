"""Ctrl-C, SIGTERM and SIGHUP while a statement runs: the statement is cancelled in the server, then we stop."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

Handler = Callable[[int, FrameType | None], Any]
Result = TypeVar("Result")
CANCELS_WITHIN_S = 1.0
HEEDS_WITHIN_S = 0.1


class Interrupted(BaseException):
    """A signal arrived; raised in the main thread at the next instruction."""


class Flag:
    """Whether a signal has arrived: SQLAlchemy turns the interruption into other errors, so the flag decides."""

    def __init__(self) -> None:
        self.is_set = False

    def handle(self, number: int, _: FrameType | None) -> None:
        """Note the signal and stop what runs."""
        self.is_set = True
        raise Interrupted(signal.Signals(number).name)


def raise_interrupted(number: int, _: FrameType | None) -> None:
    """Be the handler where nothing runs in the server yet.

    Raises:
        Interrupted: Always.
    """
    raise Interrupted(signal.Signals(number).name)


def set_handlers(handler: Handler | signal.Handlers) -> dict[int, Any]:
    """Handle SIGINT, SIGTERM and SIGHUP, except those that are ignored: `nohup` and background jobs mean that.

    Returns:
        The handlers before, for `restore_handlers`.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heeded}


def ignore_signals() -> None:
    """Heed no signal any more: we are leaving because of one, and the next must not cut short what is said of it."""
    set_handlers(signal.SIG_IGN)


def restore_handlers(before: dict[int, Any]) -> None:
    """Put back what `set_handlers` replaced; one that Python did not install counts as the default."""
    for number, handler in before.items():
        signal.signal(number, handler if handler is not None else signal.SIG_DFL)


@contextmanager
def postponed() -> Iterator[None]:
    """Let a signal that arrives inside the block take effect at its end: for what must not be left half done.

    A program that was started, and that nobody knows of yet, could not be ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = set_handlers(lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        restore_handlers(before)
        for number in arrived[:1]:
            signal.raise_signal(number)


@contextmanager
def cancelling(connection: Connection) -> Iterator[Flag]:
    """Cancel the running statement of the connection when a signal arrives, and raise `Interrupted` in our own process."""
    flag = Flag()
    with cancelled_by_signals(connection):
        before = set_handlers(flag.handle)
        try:
            yield flag
        finally:
            restore_handlers(before)


@contextmanager
def cancelled_by_signals(connection: Connection) -> Iterator[None]:
    """Cancel the running statement when a signal arrives; what it means is left to the handlers that are set.

    Python runs handlers only between instructions, and libpq waits inside one; so a thread reads the signal's number
    from a pipe and asks the server to cancel. It has ended when the block is left: we may fork then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=_cancel_on_signal, args=(reader, connection), daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before_fd)
        os.close(writer)
        thread.join(CANCELS_WITHIN_S)


def interruptibly(work: Callable[[], Result]) -> Result:
    """Do in a thread what no signal interrupts, and wait for it here, where handlers run; it has ended when this returns.

    Args:
        work: Left alone when a handler raises: we are leaving then.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(HEEDS_WITHIN_S)
    if errors:
        raise errors[0]
    return results[0]


def _cancel_on_signal(reader: int, connection: Connection) -> None:
    import psycopg2

    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while pipe.read(1):
            # A connection that is gone, or does nothing, needs no cancelling.
            with contextlib.suppress(psycopg2.Error):
                connection.cancel()
