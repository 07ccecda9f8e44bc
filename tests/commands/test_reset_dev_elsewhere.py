"""`invoke reset-dev` where the version table is not in the schema that is dropped."""

from __future__ import annotations

from tests.commands.support import HEAD, database_of, query
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


def test_tables_in_a_schema_that_is_not_dropped_are_refused_before_anything_is_touched(
    project_on_database: Project,
) -> None:
    project = project_on_database
    project.environment["APP_ENV"] = "development"
    query(project, f'create schema app; alter database "{database_of(project).name}" set search_path = app')
    assert project.invoke("mark", "--environment", "development").code == 0
    assert project.invoke("migrate").code == 0

    refused = project.invoke("reset-dev", "--yes")
    kept = query(project, "select version_num from app.alembic_version")
    done = project.invoke("reset-dev", "--yes", env={"STILLROOM_SCHEMAS": "app"})

    assert refused.code == 3, refused.stderr
    assert "tables of the history lie in app, which would not be dropped: app.conversations" in refused.stderr
    assert "hint:  set STILLROOM_SCHEMAS=app" in refused.stderr
    assert kept == [(HEAD,)]
    assert done.code == 0, done.stderr
