"""An outside program ends with the block it was started for, whenever that is left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stillroom.edges.interrupt import Interrupted, raise_interrupted, restore_handlers, set_handlers
from stillroom.edges.own_command import run_command
from stillroom.edges.pg_process import running

ROUNDS = 60
LASTING = "4321"
SLEEP = ["sleep", LASTING]


def start_tool() -> None:
    """Run what lasts as pg_dump is run."""
    with running(["/bin/sh", "-c", f"exec sleep {LASTING}"], {"PATH": os.environ["PATH"]}) as program:
        program.wait()


def start_own_command() -> None:
    """Run what lasts as a command of the project's own is run."""
    run_command(tuple(SLEEP), environment={"PATH": os.environ["PATH"]}, folder=Path("/"))


def children() -> list[int]:
    """Our own children that are asleep for as long as no other is."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            words, parent = (each / "cmdline").read_text().split("\0"), (each / "stat").read_text().rsplit(")", 1)[1]
        except OSError:
            continue
        if words[: len(SLEEP)] == SLEEP and int(parent.split()[1]) == os.getpid():
            found.append(int(each.name))
    return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("start", [start_tool, start_own_command])
def test_a_signal_while_it_is_being_started_leaves_none_running(start: Callable[[], None]) -> None:
    """Ctrl-C, or another signal, between the start of the program and the first line that could end it."""
    before = set_handlers(raise_interrupted)
    for number in range(ROUNDS):
        timer = threading.Timer(number * 0.00005, os.kill, (os.getpid(), signal.SIGTERM))

        with pytest.raises(Interrupted):  # noqa: PT012 - the signal may come before the program is started
            timer.start()
            start()
            time.sleep(5)
        timer.join()

        # Where the signal fell between two instructions of the library's own, the program ends with the generator.
        end = time.monotonic() + 5
        while (left := children()) and time.monotonic() < end:
            time.sleep(0.02)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert left == [], f"in round {number}"
    restore_handlers(before)
