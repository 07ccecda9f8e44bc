"""K4: two network namespaces joined by a cable on which every packet can be made to vanish, without a reset or an error.

They have no names and belong to nobody else: they end with the processes that hold them. Without root they are made in a
user namespace.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.faults.outside import require_program

NEAR, FAR, BITS = "10.231.7.1", "10.231.7.2", "/30"
HOLD = "ip link set lo up && echo ready && exec cat"
REFUSED = (
    "a network namespace could not be made ({}): run as root, or where `unshare -rn true` works"
    " (in a container: --cap-add NET_ADMIN,SYS_ADMIN)"
)


@dataclass(frozen=True)
class Cable:
    """The two ends.

    Args:
        near: What to write before a command that runs on the client's side.
        far: The same on the server's side, at the address `FAR`.
        server: The same for PostgreSQL, which does not run as a namespace's root.
    """

    near: tuple[str, ...]
    far: tuple[str, ...]
    server: tuple[str, ...]

    def drop(self) -> None:
        """Let every packet vanish from now on: nobody has the address any more, and nobody says so."""
        _run(*self.far, "ip", "address", "del", FAR + BITS, "dev", "far")

    def mend(self) -> None:
        """Let them through again."""
        _run(*self.far, "ip", "address", "add", FAR + BITS, "dev", "far")


@contextmanager
def cable() -> Iterator[Cable]:
    """Lay one as long as the block lasts."""
    require_program("ip", package="iproute2")
    is_root = os.geteuid() == 0
    with ExitStack() as stack:
        near_pid = stack.enter_context(_holding("unshare", "--net" if is_root else "-rn"))
        near = _entering(near_pid, is_root=is_root)
        far_pid = stack.enter_context(_holding(*near, "unshare", "--net"))
        far = _entering(far_pid, is_root=is_root)
        _run(*near, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(far_pid))
        for side, name, address in ((near, "near", NEAR), (far, "far", FAR)):
            _run(*side, "ip", "address", "add", address + BITS, "dev", name)
            _run(*side, "ip", "link", "set", name, "up")
        # Else the near side would notice that nobody answers for the address, and say "no route to host".
        _run(*near, "ip", "neighbour", "replace", FAR, "lladdr", _mac(far), "dev", "near", "nud", "permanent")
        as_user = () if is_root else ("unshare", "--user", "--map-user=1000", "--map-group=1000")
        yield Cable(near, far, (*far, *as_user))


@contextmanager
def _holding(*unshare: str) -> Iterator[int]:
    """Keep new namespaces as long as the block lasts; they end with this process, too."""
    command = [*unshare, "sh", "-c", HOLD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            pytest.fail(REFUSED.format(holder.stderr.read().strip()))
        try:
            yield holder.pid
        finally:
            holder.terminate()


def _entering(pid: int, *, is_root: bool) -> tuple[str, ...]:
    user = () if is_root else (f"--user=/proc/{pid}/ns/user", "--preserve-credentials")
    return ("nsenter", *user, f"--net=/proc/{pid}/ns/net")


def _mac(side: tuple[str, ...]) -> str:
    """Read the address of the far end's card: `far@… UP <address> <…>`."""
    return _run(*side, "ip", "-brief", "link", "show", "far").split()[2]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout
