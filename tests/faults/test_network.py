"""Servers that cannot be reached or turn us away: one line, an exit code, no secret, no second try."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.faults.outside import free_port
from tests.faults.own_server import OwnServer, own_server
from tests.servers import Project

SECRET = "gehe1m-%C3%BC-wort"
ANSWER_WITHIN_S = 30


def one_line_and_a_hint(done_stderr: str) -> str:
    """Require two lines, an error and a hint, and return the error."""
    lines = done_stderr.splitlines()
    assert len(lines) == 2, done_stderr
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("hint:  ")
    return lines[0].removeprefix("error: ")


@pytest.fixture(scope="module")
def asking() -> Iterator[OwnServer]:
    """A server that asks for a password over TCP, and logs who came."""
    with own_server(settings={"log_connections": "on"}, hba=["host all all 127.0.0.1/32 scram-sha-256"]) as running:
        running.query("create role app login password 'gehe1m-ü-wort'")
        running.query("create database shop owner app")
        running.query("create database closed owner postgres")
        running.query("revoke connect on database closed from public")
        yield running


@pytest.mark.parametrize(
    ("place", "said", "hint"),
    [
        ("127.0.0.1:{closed}", "Connection refused", "is the server running there?"),
        ("no-such-host.invalid:5432", "could not translate host name", "check the host in DATABASE_URL"),
    ],
    ids=["port closed", "name not found"],
)
def test_nobody_at_the_address_is_one_line(project: Project, place: str, said: str, hint: str) -> None:
    """F26: what cannot be reached is named, and the secret is not."""
    address = place.format(closed=free_port())
    started = time.monotonic()

    done = project.invoke("migrate", "--wait-s", "0", env={"DATABASE_URL": f"postgresql://app:{SECRET}@{address}/shop"})

    assert done.code == 4
    said_line = one_line_and_a_hint(done.stderr)
    assert said in said_line
    assert hint in done.stderr
    assert "wort" not in done.stderr + done.stdout
    assert time.monotonic() - started < ANSWER_WITHIN_S


@pytest.mark.parametrize(
    ("secret", "database", "said", "hint"),
    [
        ("wr0ng-wort", "shop", 'password authentication failed for user "app"', "check user and password"),
        (SECRET, "nowhere", 'database "nowhere" does not exist', "create it, `createdb nowhere`"),
        (SECRET, "closed", 'permission denied for database "closed"', 'GRANT CONNECT ON DATABASE "closed" TO "app";'),
    ],
    ids=["wrong password", "no such database", "no CONNECT right"],
)
def test_a_server_that_turns_us_away_is_asked_once(
    project: Project, asking: OwnServer, secret: str, database: str, said: str, hint: str
) -> None:
    """F28: one line with what to do, no second try (it would lock accounts), no secret."""
    before = asking.log.count("connection received")

    done = project.invoke(
        "migrate", env={"DATABASE_URL": f"postgresql://app:{secret}@127.0.0.1:{asking.port}/{database}"}
    )

    assert done.code == 4
    assert said in one_line_and_a_hint(done.stderr)
    assert hint in done.stderr
    assert "wort" not in done.stderr + done.stdout
    assert asking.log.count("connection received") - before == 1
