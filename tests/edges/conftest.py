"""Fixtures of the tests of the embedded server."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillroom.core.sockets import socket_folder
from tests.edges.embedded import USERS, Actor, open_server
from tests.servers import discard_server


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A short-named folder that everyone may walk through; whatever servers were made in it are removed."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="sr-")))
    folder.chmod(0o755)
    yield folder
    for home in [each for each in folder.glob("**/home") if each.is_dir()]:
        _discard(home)
    shutil.rmtree(folder)


@pytest.fixture(params=USERS)
def actor(request: pytest.FixtureRequest, open_folder: Path) -> Actor:
    """A user with a folder of their own, who drives the server from other processes."""
    theirs = open_folder / "theirs"
    theirs.mkdir()
    if request.param == "nobody":
        entry = pwd.getpwnam("nobody")
        os.chown(theirs, entry.pw_uid, entry.pw_gid)
    return Actor(theirs / "home", request.param)


def _discard(home: Path) -> None:
    owner = home.stat().st_uid
    if owner not in {0, pwd.getpwnam("nobody").pw_uid, os.geteuid()}:
        return  # a test's user that could start nothing
    shutil.rmtree(socket_folder(home, owner), ignore_errors=True)
    discard_server(open_server(home))
