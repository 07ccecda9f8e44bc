"""Steps the tests of make-migration have in common."""

from __future__ import annotations

from pathlib import Path

from tests.servers import Project

VERSIONS = Path("migrations", "alembic", "versions")
NOTE = """
from sqlmodel import Field, SQLModel


class Note(SQLModel, table=True):
    __tablename__ = "notes"

    id: int | None = Field(default=None, primary_key=True)
    body: str = Field(max_length=500)
"""


_at_head: dict[str, str] = {}
"""For each server a database that is at head, from which the next ones are cloned."""


def bring_to_head(project: Project) -> None:
    """Apply the example's revisions; the database is marked as a development one."""
    project.environment["APP_ENV"] = "development"
    assert project.database is not None
    name, server = project.database.name, project.database.server
    if server.socket in _at_head:
        project.database.drop()
        server.make_database(name, template=_at_head[server.socket])
        return
    done = project.invoke("migrate")
    assert done.code == 0, done.stderr
    _at_head[server.socket] = server.make_database(template=name).name


def add_model(project: Project, text: str = NOTE, *, name: str = "notes") -> None:
    """Add a module with models, imported by the package."""
    models = project.path / "src" / "models"
    (models / f"{name}.py").write_text(text)
    package = models / "__init__.py"
    package.write_text(package.read_text() + f"\nfrom models import {name}  # noqa: E402, F401\n")


def use_only(project: Project, text: str) -> None:
    """Replace the example's models by one module, and its history by none."""
    models = project.path / "src" / "models"
    for each in models.glob("*.py"):
        each.unlink()
    (models / "__init__.py").write_text(text)
    for each in files(project):
        each.unlink()


def edit_model(project: Project, name: str, old: str, new: str) -> None:
    """Change one module of the models."""
    path = project.path / "src" / "models" / f"{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def files(project: Project) -> list[Path]:
    """List the revisions by name."""
    return sorted((project.path / VERSIONS).glob("*.py"))


def newest(project: Project) -> Path:
    """Name the revision that was written last; within a minute the name does not tell, and a copy's times do not."""
    return max(files(project), key=lambda each: (each.name[: len("YYYYMMDD_HHMM")], each.stat().st_mtime_ns))


def drafts(project: Project) -> list[str]:
    """Name what lies among the drafts, without the lock."""
    folder = project.path / ".stillroom" / "drafts"
    return sorted(each.name for each in folder.iterdir() if each.name != ".lock") if folder.is_dir() else []


def columns(project: Project, table: str) -> list[str]:
    """List a table's columns in the database; empty without the table."""
    assert project.database is not None
    with project.database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select column_name::text from information_schema.columns where table_name = %s and table_schema = 'public' order by 1",
            (table,),
        )
        return [name for (name,) in cursor.fetchall()]


def execute(project: Project, statement: str) -> None:
    """Run one statement in the test's database."""
    assert project.database is not None
    connection = project.database.connect()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
