"""Where the server keeps its files, made so that nobody else can enter and no folder is opened for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from stillroom.core.sockets import home_hash, socket_folder
from stillroom.edges.embedded.account import Account
from stillroom.edges.embedded.files import file_system, make_private, open_append, require_owner
from stillroom.edges.own_folder import ignore_in_git

POINTER = "data-is-at"
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - survives a restart; our folder in it is 0700 and its owner is checked


@dataclass(frozen=True)
class Place:
    """The server's folders.

    Args:
        home: The folder the project gave, without symbolic links.
        base: Where data and log lie: home, or a folder below /var/tmp that root's `nobody` can reach.
        socket: The folder of the socket.
    """

    home: Path
    base: Path
    socket: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.base / "server.log"

    @property
    def is_elsewhere(self) -> bool:
        """Say whether the data lies outside home."""
        return self.base != self.home

    def note(self, account: Account) -> str:
        """Say why the data is not in home; "" when it is."""
        if not self.is_elsewhere:
            return ""
        why = f"root starts the server as {account.name}, who cannot enter {self.home.parent}"
        return f"{why}: the data is in {self.base}"


def find_place(home: Path, account: Account) -> Place:
    """Say where the server's files are, or would be made; creates nothing.

    Raises:
        ToolError: Home belongs to another user.
    """
    home = Path(os.path.realpath(home))
    with file_system(home):
        if home.exists():
            owners = {account.uid, 0} if account.is_dropped else {account.uid}
            require_owner(home, owners, account)
        base = ELSEWHERE / f"stillroom-{home_hash(home)}" if _lies_elsewhere(home, account) else home
    return Place(home, base, socket_folder(home, os.geteuid()))


def make_home(home: Path) -> None:
    """Make home, so that the lock has a place.

    Raises:
        ToolError: It cannot be made.
    """
    with file_system(home):
        home.parent.mkdir(parents=True, exist_ok=True)
        ignore_in_git(home.parent)
        home.mkdir(mode=0o700, exist_ok=True)


def make_place(home: Path, account: Account) -> Place:
    """Make the folders in a home that is there, 0700 and owned by the server's user; the lock is held.

    Raises:
        ToolError: A folder cannot be made or written, or belongs to another user.
    """
    place = find_place(home, account)
    with file_system(home):
        if place.is_elsewhere and not os.path.lexists(home / POINTER):
            with os.fdopen(open_append(home / POINTER), "w") as pointer:
                pointer.write(f"{place.base}\n")
        make_private(place.base, account)
        make_private(place.socket, account)
    return place


def _lies_elsewhere(home: Path, account: Account) -> bool:
    if not account.is_dropped or (home / "data").exists():
        return False
    if (home / POINTER).exists():
        return True
    nearest = next(folder for folder in home.parents if folder.exists())
    return not account.can_enter(nearest)
