"""What pg_dump and pg_restore are given to connect with."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from stillroom.core.urls import parse_url
from stillroom.edges.pg_access import Reach, access, reach
from stillroom.edges.private_folder import PREFIX
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


def test_nothing_private_is_made_where_there_is_nothing_to_keep(kept: Path) -> None:
    bare = Reach(parse_url("postgresql://app@db/shop", source="a test"), {})

    with access(bare, "backup") as environment:
        assert "PGPASSFILE" not in environment
        assert list(kept.iterdir()) == []


def test_what_a_killed_run_left_goes_with_the_next_one(kept: Path) -> None:
    """S01: SIGKILL leaves the password file; what is in use, only just made or no folder of ours stays."""
    with access(place(), "backup") as environment:
        in_use, left, fresh, link = Path(environment["PGPASSFILE"]).parent, *(kept / f"{PREFIX}{n}" for n in "abc")
        for each in (left, fresh):
            each.mkdir(mode=0o700)
            (each / "passfile").write_text("secret")
        link.symlink_to(kept.parent)
        for each in (in_use, left):
            os.utime(each, (1, 1))

        with access(place(), "backup"):
            pass

        assert [each.exists() for each in (in_use, left, fresh, link)] == [True, False, True, True]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for what is temporary."""
    found = tmp_path / "tmp"
    found.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(found))
    return found


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
