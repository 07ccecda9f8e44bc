"""A primary key of other columns is exchanged, with the foreign keys that lean on it; no table is left without one."""

from __future__ import annotations

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
import sqlalchemy as sa
from sqlmodel import Field


class Seat(SQLModel, table=True):
    __tablename__ = "seats"
    a: int = Field(primary_key=True)
    b: int = Field(primary_key=True)
    c: int
    d: int | None = None
"""
ROWS = "insert into seats (a, b, c) values (1, 1, 5), (1, 2, 6), (2, 1, 5)"
WITH_B = "    b: int = Field(primary_key=True)\n"


def key(database: Database) -> list[str]:
    """The primary key as the server has it."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select pg_get_constraintdef(oid) from pg_constraint where contype = 'p' and conrelid = 'seats'::regclass"
        )
        found = [row[0] for row in cursor.fetchall()]
    connection.close()
    return found


def test_another_column_joins_the_key(either: Database) -> None:
    after = HEAD.replace("    c: int\n", "    c: int = Field(primary_key=True)\n")

    evolve(either, Evolution(HEAD, after, ROWS))

    assert key(either) == ["PRIMARY KEY (a, b, c)"]


def test_a_column_leaves_the_key_and_may_be_null(either: Database) -> None:
    after = HEAD.replace(WITH_B, "    b: int | None = None\n").replace(
        "    c: int\n", "    c: int = Field(primary_key=True)\n"
    )

    evolve(either, Evolution(HEAD, after, "insert into seats (a, b, c) values (1, 1, 5), (1, 2, 6)"))

    assert key(either) == ["PRIMARY KEY (a, c)"]


def test_one_column_of_the_key_goes_and_a_new_one_comes(either: Database) -> None:
    after = HEAD.replace(WITH_B, "").replace(
        "    d: int | None", "    e: int = Field(primary_key=True)\n    d: int | None"
    )
    answers = Answers(fill={"seats.e": "c + 10"}, may_lose=True)

    begin(either, Evolution(HEAD, "", ROWS))
    with opened(either) as connection:
        made = generate(connection, models(after), answers)

    assert not made.findings.questions
    assert (
        made.upgrade.index("type_='primary'")
        < made.upgrade.index("add_column")
        < made.upgrade.index("create_primary_key")
    )
    assert made.upgrade.index("op.create_primary_key('seats_pkey', 'seats', ['a', 'e'])") < made.upgrade.index(
        "drop_column"
    )


def test_with_a_value_for_all_rows_it_goes_up_down_and_up(either: Database) -> None:
    after = HEAD.replace(WITH_B, "").replace(
        "    d: int | None", "    e: int = Field(primary_key=True)\n    d: int | None"
    )
    rows = "insert into seats (a, b, c) values (1, 1, 5), (2, 2, 6)"

    evolve(either, Evolution(HEAD, after, rows, Answers(fill={"seats.e": "1"}, may_lose=True)))

    assert key(either) == ["PRIMARY KEY (a, e)"]


def test_a_renamed_column_stays_in_the_key(either: Database) -> None:
    after = HEAD.replace("    b: int", "    place: int")

    made = evolve(either, Evolution(HEAD, after, ROWS, Answers(rename={"seats.b": "place"})))

    assert "primary" not in made.upgrade
    assert key(either) == ["PRIMARY KEY (a, place)"]


BOOKED = """


class Booking(SQLModel, table=True):
    __tablename__ = "bookings"
    __table_args__ = (sa.ForeignKeyConstraint(["x", "y"], ["seats.a", "seats.b"], name="fk"),)
    id: int | None = Field(default=None, primary_key=True)
    x: int
    y: int
"""


def test_a_foreign_key_follows_the_key(either: Database) -> None:
    before = HEAD + BOOKED
    after = HEAD.replace("    c: int\n", "    c: int = Field(primary_key=True)\n") + BOOKED.replace(
        '["x", "y"], ["seats.a", "seats.b"]', '["x", "y", "z"], ["seats.a", "seats.b", "seats.c"]'
    ).replace("    y: int\n", "    y: int\n    z: int = 5\n")

    evolve(either, Evolution(before, after, ROWS + "; insert into bookings (x, y) values (1, 1), (2, 1)"))

    assert key(either) == ["PRIMARY KEY (a, b, c)"]


def test_a_key_that_only_the_database_has_stays(either: Database) -> None:
    begin(either, Evolution(HEAD, "", ROWS))
    execute(either, "create table loose (id int primary key)")
    table = "\n\nsa.Table('loose', SQLModel.metadata, sa.Column('id', sa.Integer))\n"

    with opened(either) as connection:
        made = generate(connection, models(HEAD + table))

    assert "primary" not in made.upgrade
    assert "drop" not in made.upgrade


def test_a_key_that_only_the_models_have_comes(either: Database) -> None:
    begin(either, Evolution(HEAD, "", ROWS))
    execute(either, "alter table seats drop constraint seats_pkey")

    with opened(either) as connection:
        made = generate(connection, models(HEAD))
        made.run(connection, "upgrade")
        assert generate(connection, models(HEAD)).is_empty

    assert key(either) == ["PRIMARY KEY (a, b)"]
