"""The oldest and the newest server that are supported."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Database, Server, running_server


@pytest.fixture(scope="session", params=[14, None], ids=["pg14", "pg18"])
def either_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """One after the other."""
    with running_server(request.param) as running:
        yield running


@pytest.fixture
def either(either_server: Server) -> Iterator[Database]:
    """A fresh empty database."""
    made = either_server.make_database()
    yield made
    made.drop()
