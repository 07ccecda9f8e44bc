"""What pg_dump and pg_restore are given to connect with."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from stillroom.core.urls import parse_url
from stillroom.edges.pg_access import Reach, access, reach
from tests.servers import Database

SECRET = "p:a\\ss w%#@/é"
ENCODED = "p%3Aa%5Css%20w%25%23%40%2F%C3%A9"


def place(query: str = "") -> Reach:
    return Reach(parse_url(f"postgresql://app:{ENCODED}@db:5433/shop{query}", source="a test"), {"PATH": "/usr/bin"})


def test_the_password_is_in_a_private_file_and_nowhere_else() -> None:
    """S01, S02."""
    with access(place(), "backup") as environment:
        file = Path(environment["PGPASSFILE"])
        modes = [stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)]
        text = file.read_text("utf-8")

    assert modes == [0o600, 0o700]
    assert text == "*:*:*:*:p\\:a\\\\ss w%#@/é\n"
    assert SECRET not in repr(environment)
    assert "PGPASSWORD" not in environment
    assert not file.parent.exists()


def test_the_place_is_in_the_environment_and_nothing_else_of_ours_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """S02."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/x")

    with access(place("?sslmode=require&application_name=mine&client_encoding=latin1"), "backup") as environment:
        found = {name: value for name, value in environment.items() if name != "PGPASSFILE"}

    assert found["PGHOST"] == "db"
    assert found["PGPORT"] == "5433"
    assert found["PGUSER"] == "app"
    assert found["PGDATABASE"] == "shop"
    assert found["PGSSLMODE"] == "require"
    assert found["PGAPPNAME"] == "stillroom backup"
    assert found["LC_ALL"] == "C"
    assert "PGCLIENTENCODING" not in found
    assert "DATABASE_URL" not in found


def test_the_file_goes_when_something_fails() -> None:
    """S01."""
    kept: list[Path] = []

    def fail() -> None:
        with access(place(), "backup") as environment:
            kept.append(Path(environment["PGPASSFILE"]))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert not kept[0].parent.exists()


def test_of_several_hosts_the_one_that_answered_is_named(database: Database) -> None:
    several = parse_url(
        f"postgresql://postgres@/{database.name}?host=/nonexistent,{database.server.socket}", source="a test"
    )

    with closing(database.connect()) as connection:
        found = reach(several, os.environ, connection, major=18)

    assert found.url.host == database.server.socket
    assert found.url.port == "5432"
