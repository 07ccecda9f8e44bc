"""Foreign keys and indexes of tables with rows, in the form that stops nobody."""

from __future__ import annotations

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, generate, models, opened
from tests.servers import Database

BASE = """
from sqlmodel import Field


class Team(SQLModel, table=True):
    __tablename__ = "teams"
    id: int | None = Field(default=None, primary_key=True)


class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    team_id: int | None = None
"""
ROWS = "insert into teams default values; insert into users (name, team_id) values ('a', 1), ('b', null)"
ONLINE = Answers(is_online=True)


def test_a_foreign_key_is_made_without_a_look_and_validated_afterwards(either: Database) -> None:
    after = BASE.replace(
        "team_id: int | None = None", 'team_id: int | None = Field(default=None, foreign_key="teams.id")'
    )

    made = evolve(either, Evolution(BASE, after, ROWS, ONLINE))

    assert "postgresql_not_valid=True" in made.upgrade
    assert made.upgrade.index("autocommit_block") < made.upgrade.index("VALIDATE CONSTRAINT users_team_id_fkey")


def test_an_index_is_built_while_others_write_in_a_revision_of_its_own(either: Database) -> None:
    after = BASE.replace("    name: str\n", "    name: str = Field(index=True)\n")

    made = evolve(either, Evolution(BASE, after, ROWS, ONLINE))

    assert "postgresql_concurrently=True" in made.upgrade
    assert "postgresql_concurrently=True" in made.downgrade


def test_an_index_beside_something_else_waits_for_the_next_revision(either: Database) -> None:
    after = BASE.replace("    name: str\n", "    name: str = Field(index=True)\n    age: int | None = None\n")
    begin(either, Evolution(BASE, after, ROWS))
    with opened(either) as connection:
        first = generate(connection, models(after), ONLINE)
        first.run(connection, "upgrade")
        second = generate(connection, models(after), ONLINE)
        second.run(connection, "upgrade")
        assert generate(connection, models(after)).is_empty

    assert "create_index" not in first.upgrade
    assert any("a revision of their own" in each for each in first.findings.notes)
    assert "add_column" not in second.upgrade


def test_an_index_goes_with_its_column_and_comes_back(either: Database) -> None:
    before = BASE.replace("    name: str\n", "    name: str | None = Field(default=None, index=True)\n")

    made = evolve(either, Evolution(before, BASE.replace("    name: str\n", ""), ROWS, ONLINE))

    assert "concurrently" not in made.upgrade


def test_an_index_of_a_new_table_is_a_plain_one(either: Database) -> None:
    new = """
class Note(SQLModel, table=True):
    __tablename__ = "notes"
    id: int | None = Field(default=None, primary_key=True)
    body: str = Field(index=True)
"""

    made = evolve(either, Evolution(BASE, BASE + new, ROWS, ONLINE))

    assert "concurrently" not in made.upgrade
    assert "create_index" in made.upgrade
