"""The application's engine, plain alembic and the tasks reach one database through one loader."""

from __future__ import annotations

import sys

import pytest

from tests.servers import Project

APPLICATION = """
from sqlalchemy import create_engine, text
from stillroom.settings import load
with create_engine(load().url_for("psycopg2")).connect() as connection:
    print(connection.execute(text("select current_database(), (select count(*) from users)")).one())
"""


@pytest.mark.parametrize("place", ["environment", ".env", "alembic.ini"])
def test_one_url_serves_the_application_alembic_and_the_tasks(project_on_database: Project, place: str) -> None:
    project, database = project_on_database, project_on_database.database
    assert database is not None
    url = project.environment["DATABASE_URL"]
    if place != "environment":
        del project.environment["DATABASE_URL"]
    if place == ".env":
        (project.path / ".env").write_text(f"DATABASE_URL={url}\n")
    if place == "alembic.ini":
        ini = project.path / "alembic.ini"
        ini.write_text(
            ini.read_text().replace("[alembic]\n", "[alembic]\nsqlalchemy.url = " + url.replace("%", "%%") + "\n")
        )

    migrated = project.invoke("migrate")
    current = project.alembic("current")
    application = project.run(sys.executable, "-c", APPLICATION)

    assert migrated.code == 0, migrated.stderr
    assert current.stdout.split()[0] in migrated.stdout
    assert application.stdout.strip() == f"('{database.name}', 0)", application.stderr


def test_the_embedded_server_is_the_same_for_all_three(project: Project) -> None:
    migrated = project.invoke("migrate")

    current = project.alembic("current")
    application = project.run(sys.executable, "-c", APPLICATION)

    assert migrated.code == 0, migrated.stderr
    assert current.stdout.split()[0] in migrated.stdout
    assert application.stdout.strip() == "('todo_chatbot', 0)", application.stderr
    assert (project.path / ".stillroom" / ".gitignore").read_text() == "*\n"
