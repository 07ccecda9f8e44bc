"""A pooler that lends a server connection for a whole session: accepted by name, and given back as it was lent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.support import database_of
from tests.faults.pooler import REFUSED, Pooler, left_behind, pooler
from tests.servers import Project, Server

SIZE = 2


@pytest.fixture(scope="module")
def session_pooler(server: Server) -> Iterator[Pooler]:
    """A pooler that lends a server connection for a session."""
    with pooler(server, "session", size=SIZE) as running:
        yield running


def test_a_session_pooler_is_accepted_by_name_and_gets_a_clean_session_back(
    project_on_database: Project, session_pooler: Pooler
) -> None:
    """F34: refused without STILLROOM_POOLER=session; after a run the next client finds neither lock nor settings."""
    database = database_of(project_on_database)
    through = {"DATABASE_URL": session_pooler.url(database.name)}

    refused = project_on_database.invoke("migrate", env=through)
    accepted = project_on_database.invoke("migrate", env=through | {"STILLROOM_POOLER": "session"})

    assert (refused.code, refused.stderr) == (3, REFUSED.format(name=database.name))
    assert accepted.code == 0, accepted.stderr
    assert left_behind(session_pooler, database) == (set(), 0)


def test_a_session_pooler_that_wipes_nothing_gets_a_clean_session_back(
    project_on_database: Project, server: Server
) -> None:
    """F34: where `server_reset_query` is blank, a lock and settings left behind would stay for the next client."""
    database = database_of(project_on_database)
    with pooler(server, "session", size=SIZE, resets=False) as running:
        through = {"DATABASE_URL": running.url(database.name), "STILLROOM_POOLER": "session"}

        done = project_on_database.invoke("migrate", env=through)

        assert done.code == 0, done.stderr
        assert left_behind(running, database) == (set(), 0)


def test_a_session_pooler_with_one_connection_is_enough(project_on_database: Project, server: Server) -> None:
    """F29, F34: a second connection waits in the pooler for the first to leave, and the last look with it."""
    database = database_of(project_on_database)
    with pooler(server, "session", size=1) as running:
        through = {"DATABASE_URL": running.url(database.name), "STILLROOM_POOLER": "session"}

        done = project_on_database.invoke("migrate", env=through, timeout=20)

        assert done.code == 0, done.stderr
        assert left_behind(running, database) == (set(), 0)
