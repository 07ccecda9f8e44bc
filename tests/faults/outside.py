"""The outside programs the injectors need: found, or a failure that names the package; and free ports."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import closing

import pytest

from stillroom.edges.embedded.account import Account

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def require_program(name: str, *, package: str) -> str:
    """Return a program's path; a missing one fails the test with the name of Debian's package."""
    found = shutil.which(name, path=PLACES)
    if found is None:
        pytest.fail(f"{name} is not installed: `apt-get install {package}`")
    return found


def stepping_down(account: Account) -> list[str]:
    """Return what to write before a command so that it runs as the account and ends when this process does."""
    setpriv = require_program("setpriv", package="util-linux")
    who = [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"] if account.is_dropped else []
    return [setpriv, *who, "--pdeathsig=INT"]


def free_port() -> int:
    """Find a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], what: str, *, within_s: float = 30) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"not within {within_s} s: {what}"
        time.sleep(0.02)
