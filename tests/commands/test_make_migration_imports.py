"""Models that do not import, or that nothing imports: the cause is named, not the symptom."""

from __future__ import annotations

import json

import pytest

from tests.commands.revisions import add_model, bring_to_head, files
from tests.servers import Project

SHARED = """
from sqlalchemy import Column, DateTime
from sqlmodel import Field, SQLModel


class Stamped(SQLModel):
    at: str | None = Field(default=None, sa_column=Column(DateTime))


class One(Stamped, table=True):
    id: int | None = Field(default=None, primary_key=True)


class Two(Stamped, table=True):
    id: int | None = Field(default=None, primary_key=True)
"""
TWICE = """
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
import src.models.users
"""
UNTYPED = """
from sqlmodel import Field, SQLModel


class One(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    data: dict
"""
AGAIN = """
from sqlmodel import Field, SQLModel


class Someone(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
"""
LOST = """
from sqlmodel import Field, SQLModel


class Lost(SQLModel, table=True):
    __tablename__ = "lost"
    id: int | None = Field(default=None, primary_key=True)
"""


@pytest.fixture
def at_head(project_on_database: Project) -> Project:
    bring_to_head(project_on_database)
    return project_on_database


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (SHARED, "the Column of at in `sa_column=` is one object that several classes share"),
        (TWICE, "one file was imported under two names: models.users and src.models.users"),
        (AGAIN, "two classes name the table users"),
        (UNTYPED, "name one: `Field(sa_type=JSONB)`"),
    ],
    ids=["a shared column", "two names for one module", "two classes for one table", "a type without a column"],
)  # fmt: skip
def test_a_trap_of_importing_is_named_with_its_cause(at_head: Project, text: str, cause: str) -> None:
    add_model(at_head, text, name="trap")

    done = at_head.invoke("make-migration", "-m", "x")

    assert done.code == 3
    assert cause in done.stderr.partition("hint:  ")[2]
    assert "Traceback" not in done.stderr


def test_a_folder_of_the_project_called_alembic_is_named(at_head: Project) -> None:
    at_head.is_forked = False
    (at_head.path / "alembic").mkdir()
    (at_head.path / "alembic" / "__init__.py").write_text("")

    done = at_head.invoke("make-migration", "-m", "x")

    assert done.code == 3, done.stderr
    assert "alembic/__init__.py has the name of the library alembic" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("is_package", [True, False])
@pytest.mark.parametrize("task", ["make-migration", "check"])
def test_a_module_that_nothing_imports_is_named_though_nothing_else_differs(
    at_head: Project, task: str, is_package: bool
) -> None:
    below = at_head.path / "src" / "models" / "billing"
    below.mkdir()
    if is_package:
        (below / "__init__.py").write_text("")
    (below / "lost.py").write_text(LOST)
    (below / "helper.py").write_text("NUMBER = 1\n")
    before = files(at_head)

    done = at_head.invoke(task)
    machine = at_head.invoke(task, "--json")

    assert done.code == 0, done.stderr
    note = "src/models/billing/lost.py: nothing imports it, so its tables were not compared"
    assert f"note:  {note}" in done.stdout
    assert "helper" not in done.stdout
    assert note in json.loads(machine.stdout)["result"]["notes"][0]
    assert files(at_head) == before


def test_a_module_in_a_folder_without_an_init_that_is_imported_is_not_named(at_head: Project) -> None:
    below = at_head.path / "src" / "models" / "billing"
    below.mkdir()
    add_model(at_head, LOST.replace('"lost"', '"found"'), name="billing/found")
    package = at_head.path / "src" / "models" / "__init__.py"
    package.write_text(
        package.read_text().replace("import billing/found", "import billing") + "\nimport models.billing.found\n"
    )

    done = at_head.invoke("make-migration", "-m", "found")

    assert done.code == 0, done.stderr
    assert "  create_table found" in done.stdout
    assert "nothing imports it" not in done.stdout
