"""Two enum types of the models under one name: named, and nothing is asked that would rename a live member."""

from __future__ import annotations

import pytest

from tests.commands.revisions import add_model, bring_to_head, edit_model, files
from tests.servers import Project

ONE = """
import enum

from sqlalchemy import Column, Enum
from sqlmodel import Field, SQLModel


class Status(enum.Enum):
    a = "a"
    b = "b"


class State(enum.Enum):
    a = "a"
    b = "b"


class Order(SQLModel, table=True):
    __tablename__ = "orders"
    id: int | None = Field(default=None, primary_key=True)
    status: Status = Field(sa_column=Column(Enum(Status, name="status"), nullable=False))
    state: State = Field(sa_column=Column(Enum(State, name="status"), nullable=False))
"""


@pytest.fixture
def at_head(project_on_database: Project) -> Project:
    bring_to_head(project_on_database)
    add_model(project_on_database, ONE, name="orders")
    assert project_on_database.invoke("make-migration", "-m", "orders").code == 0
    assert project_on_database.invoke("migrate").code == 0
    return project_on_database


@pytest.mark.parametrize("task", ["make-migration", "check", "alembic"])
def test_two_enum_types_of_one_name_with_other_members_are_refused_and_named(at_head: Project, task: str) -> None:
    edit_model(
        at_head,
        "orders",
        ONE,
        ONE.replace('class State(enum.Enum):\n    a = "a"\n    b', 'class State(enum.Enum):\n    a = "a"\n    c'),
    )
    before = files(at_head)

    done = at_head.alembic("revision", "--autogenerate", "-m", "x") if task == "alembic" else at_head.invoke(task)

    said = " ".join((done.stdout + done.stderr).split())
    assert done.code == (255 if task == "alembic" else 3)
    assert "2 enum types of the models are called status: " in said
    assert "models.orders.Status in orders.status (a, b), models.orders.State in orders.state (a, c)" in said
    assert "--rename" not in said
    assert "Traceback" not in said
    assert files(at_head) == before


def test_two_enum_types_of_one_name_with_the_same_members_are_one_to_the_server(at_head: Project) -> None:
    done = at_head.invoke("make-migration")

    assert done.code == 0, done.stderr
    assert "no revision was made" in done.stdout


CIRCLE = """
from sqlmodel import Field, SQLModel


class Author(SQLModel, table=True):
    __tablename__ = "authors"
    id: int | None = Field(default=None, primary_key=True)
    best_id: int | None = Field(default=None, foreign_key="books.id")


class Book(SQLModel, table=True):
    __tablename__ = "books"
    id: int | None = Field(default=None, primary_key=True)
    author_id: int = Field(foreign_key="authors.id")
"""


def test_tables_that_refer_to_one_another_make_no_warning_and_a_revision_that_runs(
    project_on_database: Project,
) -> None:
    bring_to_head(project_on_database)
    add_model(project_on_database, CIRCLE, name="books")

    made = project_on_database.invoke("make-migration", "-m", "books")
    applied = project_on_database.invoke("migrate")
    checked = project_on_database.invoke("check")
    plain = project_on_database.alembic("check")

    assert made.code == 0, made.stderr
    assert applied.code == 0, applied.stderr
    assert (checked.code, plain.code) == (0, 0)
    assert "Warning" not in made.stderr + checked.stderr + plain.stderr
