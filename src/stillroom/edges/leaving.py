"""A review that is left: a closed terminal and a polite kill become an exception, as Ctrl-C is one."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ARRIVES_WITHIN_S = 0.1


@contextmanager
def hangup_as_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGHUP and SIGTERM while the block runs."""
    numbers = [getattr(signal, name) for name in ("SIGHUP", "SIGTERM") if hasattr(signal, name)]
    before = {number: signal.signal(number, _raise) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def await_hangup() -> None:
    """Let the signal arrive that comes with the end of a terminal: it must not strike in the middle of leaving."""
    time.sleep(ARRIVES_WITHIN_S)


def forget_dead_terminal() -> None:
    """Stop writing to a terminal that was closed: Python would fail on it once more at its end, and exit with 120."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            stream.flush()
        except (OSError, ValueError):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
