"""Fixtures of the fault tests: how often to try, and a server that asks for a password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.honest import PASSWORD
from tests.faults.own_server import OwnServer, own_server

ROUNDS = {"short": 3, "long": 20}


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    """How often to try what depends on chance: `--fault-rounds long` tries more."""
    return ROUNDS[pytestconfig.getoption("--fault-rounds")]


@pytest.fixture(scope="session")
def team_server() -> Iterator[OwnServer]:
    """A server that asks for a password over TCP, as images and managed servers do."""
    with own_server(hba=["host all all 127.0.0.1/32 scram-sha-256"]) as running:
        running.query("alter role postgres password %s", PASSWORD)
        yield running
