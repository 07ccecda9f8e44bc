"""Names of constraints that the models leave to PostgreSQL, beside what the database has."""

from __future__ import annotations

from tests.edges.completing.evolving import Evolution, evolve
from tests.servers import Database

BEFORE = """
from sqlalchemy import Column, Integer, Table, UniqueConstraint

Table(
    "t",
    SQLModel.metadata,
    Column("id", Integer, primary_key=True),
    Column("a", Integer),
    Column("b", Integer),
    Column("a_b", Integer),
    UniqueConstraint("a", "b"),
)
"""
ROWS = "insert into t (a, b, a_b) values (1, 1, 1), (2, 1, 2)"


def test_a_name_that_the_database_has_gets_a_number(either: Database) -> None:
    after = BEFORE.replace('UniqueConstraint("a", "b"),', 'UniqueConstraint("a", "b"),\n    UniqueConstraint("a_b"),')

    made = evolve(either, Evolution(BEFORE, after, ROWS))

    assert "t_a_b_key1" in made.upgrade
    assert "t_a_b_key1" in made.downgrade


def test_a_name_that_becomes_free_is_given_again(either: Database) -> None:
    after = BEFORE.replace('UniqueConstraint("a", "b"),', 'UniqueConstraint("a_b"),')

    made = evolve(either, Evolution(BEFORE, after, ROWS))

    assert "t_a_b_key1" not in made.upgrade


def test_the_name_of_another_tables_constraint_gets_a_number(either: Database) -> None:
    new = """
Table("t_a", SQLModel.metadata, Column("id", Integer, primary_key=True), Column("b", Integer, unique=True))
"""

    made = evolve(either, Evolution(BEFORE, BEFORE + new, ROWS))

    assert "t_a_b_key1" in made.upgrade


def test_the_same_name_in_another_schema_is_free(either: Database) -> None:
    new = """
Table("t", SQLModel.metadata, Column("a", Integer), Column("b", Integer), UniqueConstraint("a", "b"), schema="other")
"""

    made = evolve(either, Evolution(BEFORE, BEFORE + new, ROWS, setup="create schema other"))

    assert "t_a_b_key1" not in made.upgrade
