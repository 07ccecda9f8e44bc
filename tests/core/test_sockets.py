"""Where the embedded server's socket lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillroom.core.sockets import socket_folder


def test_the_socket_lies_beside_the_data() -> None:
    assert socket_folder(Path("/home/me/shop/.stillroom/postgres"), 1000) == Path(
        "/home/me/shop/.stillroom/postgres/run"
    )


@pytest.mark.parametrize(
    "home",
    ["/a,b", "/a b", "/a'b", "/ä", "/a\\b", "/a$b", "/a\nb", "/" + "l" * 90],
    ids=["a comma", "a blank", "a quote", "an umlaut", "a backslash", "a dollar", "a newline", "too long"],
)
def test_a_path_that_libpq_or_the_kernel_does_not_take_is_left_for_tmp(home: str) -> None:
    folder = socket_folder(Path(home), 1000)

    assert str(folder).startswith("/tmp/stillroom-1000-")
    assert len(folder.name) == len("stillroom-1000-") + 12


def test_roots_server_runs_as_another_user_and_gets_a_place_it_can_reach() -> None:
    assert str(socket_folder(Path("/srv/shop"), 0)).startswith("/tmp/stillroom-0-")


def test_two_homes_never_share_a_folder() -> None:
    assert socket_folder(Path("/a,b"), 1000) != socket_folder(Path("/a,c"), 1000)


def test_the_longest_path_that_still_lies_beside_the_data() -> None:
    longest = "/" + "l" * (100 - len("/run/.s.PGSQL.5432") - 1)

    assert socket_folder(Path(longest), 1000) == Path(longest, "run")
    assert socket_folder(Path(longest + "l"), 1000).parent == Path("/tmp")
