"""Foreign keys to keys that come or go in the same revision."""

from __future__ import annotations

from tests.edges.completing.evolving import Evolution, evolve
from tests.servers import Database

BASE = """
import sqlalchemy as sa
from sqlmodel import Field


class Team(SQLModel, table=True):
    __tablename__ = "teams"
    id: int | None = Field(default=None, primary_key=True)
    code: str


class Alone(SQLModel, table=True):
    __tablename__ = "alone"
    id: int | None = Field(default=None, primary_key=True)
    code: str | None = None
"""
UNIQUE = BASE.replace("    code: str\n", "    code: str = Field(unique=True)\n")
ROWS = "insert into teams (code) values ('a'), ('b'); insert into alone (code) values ('a'), (null)"
NEW = """

class Badge(SQLModel, table=True):
    __tablename__ = "badges"
    id: int | None = Field(default=None, primary_key=True)
    code: str | None = Field(default=None, foreign_key="teams.code")
"""


def test_a_new_table_refers_to_a_column_that_becomes_unique(either: Database) -> None:
    made = evolve(either, Evolution(BASE, UNIQUE + NEW, ROWS))

    assert made.upgrade.index("'teams_code_key'") < made.upgrade.index("'badges_code_fkey'")


def test_an_old_table_refers_to_a_column_that_becomes_unique_and_back(either: Database) -> None:
    line = "    code: str | None = None\n"
    after = UNIQUE.replace(line, '    code: str | None = Field(default=None, foreign_key="teams.code")\n')

    made = evolve(either, Evolution(BASE, after, ROWS))

    assert made.upgrade.index("'teams_code_key'") < made.upgrade.index("'alone_code_fkey'")
    assert made.downgrade.index("'alone_code_fkey'") < made.downgrade.index("'teams_code_key'")


def test_a_reference_goes_before_the_key_that_goes(either: Database) -> None:
    line = "    code: str | None = None\n"
    before = UNIQUE.replace(line, '    code: str | None = Field(default=None, foreign_key="teams.code")\n')

    evolve(either, Evolution(before, BASE, ROWS))


def test_a_unique_index_is_a_key_as_well(either: Database) -> None:
    unique = BASE.replace("    code: str\n", "    code: str = Field(unique=True, index=True)\n")

    evolve(either, Evolution(BASE, unique + NEW, ROWS))
