"""A schema that is not there yet comes with the first thing that lies in it, and goes with the last."""

from __future__ import annotations

from tests.commands.revisions import add_model, bring_to_head, execute, newest
from tests.commands.support import query
from tests.servers import Project

BILLING = """
import enum

from sqlalchemy import Column, Enum
from sqlmodel import Field, SQLModel


class State(enum.Enum):
    open = "open"
    paid = "paid"


class Invoice(SQLModel, table=True):
    __tablename__ = "invoices"
    __table_args__ = {"schema": "billing"}
    id: int | None = Field(default=None, primary_key=True)
    state: State = Field(sa_column=Column(Enum(State, name="state", schema="My States"), nullable=False))
"""


def schemas(project: Project) -> list[str]:
    return [
        name
        for (name,) in query(
            project, "select nspname from pg_namespace where nspname in ('billing', 'My States') order by 1"
        )
    ]


def test_a_new_schema_is_made_by_the_revision_and_dropped_by_its_way_back(project_on_database: Project) -> None:
    bring_to_head(project_on_database)
    add_model(project_on_database, BILLING, name="billing")

    made = project_on_database.invoke("make-migration")
    applied = project_on_database.invoke("migrate")
    there = schemas(project_on_database)
    again = project_on_database.invoke("make-migration")
    undone = project_on_database.invoke("rollback", "--yes")

    assert made.code == 0, made.stderr
    text = newest(project_on_database).read_text()
    assert "op.execute('CREATE SCHEMA IF NOT EXISTS \"My States\"')" in text
    assert text.index("CREATE SCHEMA IF NOT EXISTS billing") < text.index("postgresql.ENUM(")
    assert "note:  the schema billing is not there: the role that migrates must be allowed to create it" in made.stdout
    assert applied.code == 0, applied.stderr
    assert there == ["My States", "billing"]
    assert "no revision was made" in again.stdout
    assert undone.code == 0, undone.stderr
    assert schemas(project_on_database) == []


def test_a_schema_that_holds_something_else_stays_and_that_is_said(project_on_database: Project) -> None:
    bring_to_head(project_on_database)
    add_model(project_on_database, BILLING, name="billing")
    project_on_database.invoke("make-migration", "-m", "billing")
    project_on_database.invoke("migrate")
    execute(project_on_database, "create table billing.theirs ()")

    undone = project_on_database.invoke("rollback", "--yes")

    assert undone.code == 4
    assert "cannot drop schema billing because other objects depend on it" in undone.stderr
    assert query(project_on_database, "select to_regclass('billing.invoices') is not null") == [(True,)]


def test_a_schema_that_is_there_already_is_left_as_it_is(project_on_database: Project) -> None:
    bring_to_head(project_on_database)
    execute(project_on_database, 'create schema billing; create schema "My States"')
    add_model(project_on_database, BILLING, name="billing")

    made = project_on_database.invoke("make-migration", "-m", "billing")

    assert made.code == 0, made.stderr
    assert "SCHEMA" not in newest(project_on_database).read_text()


def test_a_schema_that_is_missing_in_a_step_is_what_the_hint_is_about(project_on_database: Project) -> None:
    bring_to_head(project_on_database)
    add_model(project_on_database, BILLING, name="billing")
    project_on_database.invoke("make-migration", "-m", "billing")
    path = newest(project_on_database)
    path.write_text("".join(each for each in path.read_text().splitlines(True) if "SCHEMA" not in each))

    done = project_on_database.invoke("migrate")

    assert done.code == 4
    assert "does not exist (3F000)" in done.stderr
    assert "STILLROOM_SEARCH_PATH" not in done.stderr
    assert "CREATE SCHEMA" in done.stderr
