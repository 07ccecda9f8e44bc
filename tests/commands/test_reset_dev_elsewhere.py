"""`invoke reset-dev` where the version table is not in the schema that is dropped."""

from __future__ import annotations

from tests.commands.support import HEAD, query
from tests.servers import Project


def test_a_version_table_in_another_schema_is_emptied_with_what_it_speaks_of(project_on_database: Project) -> None:
    project = project_on_database
    project.environment["APP_ENV"] = "development"
    env = project.path / "migrations" / "alembic" / "env.py"
    env.write_text(
        env.read_text("utf-8").replace("run(SQLModel.metadata)", 'run(SQLModel.metadata, version_table_schema="meta")'),
        "utf-8",
    )
    query(project, "create schema meta")
    assert project.invoke("mark", "--environment", "development").code == 0
    assert project.invoke("migrate").code == 0

    reset = project.invoke("reset-dev", "--yes")

    assert reset.code == 0, reset.stderr
    assert "3 revisions applied" in reset.stdout
    assert query(project, "select version_num from meta.alembic_version") == [(HEAD,)]
    assert project.invoke("check").code == 0
