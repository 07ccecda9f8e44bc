"""Fixtures of the command tests: a project whose database is at head already."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import Database, Project, Server, copy_project


@pytest.fixture(scope="session")
def template(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database at head, marked development; nobody connects to it, so that it can be copied."""
    made = server.make_database()
    project = copy_project(tmp_path_factory.mktemp("template") / "project")
    project.environment |= {"DATABASE_URL": made.url, "APP_ENV": "development"}
    done = project.invoke("migrate")
    assert done.code == 0, done.stderr
    yield made
    made.drop()


@pytest.fixture
def migrated(project: Project, server: Server, template: Database) -> Iterator[Project]:
    """A copy of the example project on a database of its own that is at head and marked development."""
    database = server.make_database(template=template.name)
    project.database = database
    project.environment |= {"DATABASE_URL": database.url, "APP_ENV": "development"}
    yield project
    database.drop()
