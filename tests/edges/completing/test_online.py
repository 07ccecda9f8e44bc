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


PARTITIONED = """
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint

Table("r", SQLModel.metadata, Column("id", Integer, primary_key=True))
Table(
    "t",
    SQLModel.metadata,
    Column("id", Integer, primary_key=True),
    Column("other", Integer),
    Column("rid", Integer),
    postgresql_partition_by="HASH (id)",
)
"""
PARTS = """
create table t_0 partition of t for values with (modulus 1, remainder 0);
insert into r default values; insert into t values (1, 1, 1)
"""
WITH_INDEX = PARTITIONED.replace(
    "    postgresql_partition", '    Index("ix_other", "other"),\n    postgresql_partition'
)


def test_an_index_of_a_partitioned_table_keeps_the_plain_form_and_the_review_says_so(either: Database) -> None:
    made = evolve(either, Evolution(PARTITIONED, WITH_INDEX, PARTS, ONLINE))

    assert "concurrently" not in made.upgrade + made.downgrade
    assert any("t is partitioned, so ix_other is made in the plain form" in each for each in made.findings.notes)


def test_an_index_of_a_partitioned_table_goes_in_the_plain_form(either: Database) -> None:
    made = evolve(either, Evolution(WITH_INDEX, PARTITIONED, PARTS, ONLINE))

    assert "concurrently" not in made.upgrade + made.downgrade


def test_a_foreign_key_of_a_partitioned_table_is_not_valid_first_only_where_the_server_knows_that(
    either: Database,
) -> None:
    after = PARTITIONED.replace('"rid", Integer', '"rid", Integer, ForeignKey("r.id")')

    made = evolve(either, Evolution(PARTITIONED, after, PARTS, ONLINE))

    says = any("t is partitioned, so t_rid_fkey is made in the plain form" in each for each in made.findings.notes)
    assert says != ("postgresql_not_valid=True" in made.upgrade)


def test_a_unique_constraint_takes_an_index_that_was_built_while_others_write(either: Database) -> None:
    after = BASE.replace("    name: str\n", "    name: str = Field(unique=True)\n")

    made = evolve(either, Evolution(BASE, after, ROWS, ONLINE))

    assert "postgresql_concurrently=True" in made.upgrade
    assert "UNIQUE USING INDEX" in made.upgrade


def test_a_unique_constraint_beside_something_else_waits_for_the_next_revision(either: Database) -> None:
    after = BASE.replace("    name: str\n", "    name: str = Field(unique=True)\n    age: int | None = None\n")
    begin(either, Evolution(BASE, after, ROWS))
    with opened(either) as connection:
        first = generate(connection, models(after), ONLINE)
        first.run(connection, "upgrade")
        second = generate(connection, models(after), ONLINE)
        second.run(connection, "upgrade")
        assert generate(connection, models(after)).is_empty

    assert "users_name_key" not in first.upgrade
    assert "UNIQUE USING INDEX" in second.upgrade


def test_a_unique_constraint_that_a_new_foreign_key_needs_does_not_wait(either: Database) -> None:
    boss = '    boss: str | None = Field(default=None, foreign_key="users.name")\n'
    after = BASE.replace("    name: str\n", "    name: str = Field(unique=True)\n" + boss)

    made = evolve(either, Evolution(BASE, after, ROWS, ONLINE))

    assert "users_name_key" in made.upgrade
    assert any("a new foreign key refers to users" in each for each in made.findings.notes)
