"""Serial and identity columns: the one becomes the other and goes on counting; neither is taken for a difference in vain."""

from __future__ import annotations

import pytest

from tests.edges.completing.evolving import Evolution, begin, catalog, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
import sqlalchemy as sa
from sqlmodel import Field

class Order(SQLModel, table=True):
    __tablename__ = "Order"
    id: int | None = Field(default=None, COLUMN)
    name: str = "x"
"""
SERIAL = HEAD.replace("COLUMN", "primary_key=True")
ROWS = (
    """insert into "Order" (name) select 'x' from pg_catalog.generate_series(1, 7); delete from "Order" where id = 7;"""
)
SCHEMA = ("create schema sales", "__table_args__ = {'schema': 'sales'}")


def with_identity(arguments: str, kind: str = "Integer") -> str:
    """The model with an identity column."""
    return HEAD.replace("COLUMN", f"sa_column=sa.Column(sa.{kind}, sa.Identity({arguments}), primary_key=True)")


def next_id(database: Database, table: str = '"Order"') -> int:
    """Insert a row, and return what it is counted as."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"insert into {table} (name) values ('y') returning id")
        (found,) = cursor.fetchone() or ()
    connection.close()
    return int(found)


@pytest.mark.parametrize(
    ("arguments", "kind", "expected"),
    [
        ("", "Integer", 8),
        ("always=True", "Integer", 8),
        ("", "BigInteger", 8),
        ("start=1000", "Integer", 1000),
        ("start=3, increment=2", "Integer", 9),
    ],
)
def test_a_serial_column_becomes_an_identity_column(either: Database, arguments: str, kind: str, expected: int) -> None:
    made = evolve(either, Evolution(SERIAL, with_identity(arguments, kind), ROWS))

    assert "goes on where the old one stands" in made.findings.notes[0]
    assert next_id(either) == expected
    with opened(either) as connection:
        made.run(connection, "downgrade")
    assert next_id(either) == expected + (2 if "increment" in arguments else 1) - ("increment" in arguments)


def test_one_in_another_schema_becomes_an_identity_column(either: Database) -> None:
    name, arguments = SCHEMA
    before, after = (
        each.replace('"Order"\n', f'"Order"\n    {arguments}\n') for each in (SERIAL, with_identity("always=True"))
    )

    evolve(either, Evolution(before, after, ROWS.replace('"Order"', 'sales."Order"'), setup=name))

    assert next_id(either, 'sales."Order"') == 8


def test_a_sequence_of_another_name_is_taken_over(either: Database) -> None:
    begin(either, Evolution(SERIAL, "", ROWS + """; alter sequence "Order_id_seq" rename to "my counter";"""))
    start = catalog(either)

    with opened(either) as connection:
        made = generate(connection, models(with_identity("")))
        for direction in ("upgrade", "downgrade"):
            made.run(connection, direction)
        assert catalog(either) == start
        made.run(connection, "upgrade")

    assert next_id(either) == 8


@pytest.mark.parametrize(("kind", "most"), [("BigInteger", 2**63 - 1), ("SmallInteger", 2**15 - 1)])
def test_the_sequence_of_a_serial_column_counts_as_far_as_the_column(either: Database, kind: str, most: int) -> None:
    after = HEAD.replace("COLUMN", f"sa_column=sa.Column(sa.{kind}, primary_key=True)")

    evolve(either, Evolution(SERIAL, after, ROWS))

    with either.connect() as connection, connection.cursor() as cursor:
        cursor.execute("""select seqmax from pg_sequence where seqrelid = '"Order_id_seq"'::regclass""")
        assert cursor.fetchone() == (most,)
    connection.close()
    assert next_id(either) == 8


def test_one_that_never_counted_begins_with_one(either: Database) -> None:
    evolve(either, Evolution(SERIAL, with_identity(""), ""))

    assert next_id(either) == 1


def test_an_identity_column_of_a_model_that_says_nothing_of_it_stays(either: Database) -> None:
    begin(either, Evolution(with_identity(""), "", ""))

    with opened(either) as connection:
        again = generate(connection, models(SERIAL))

    assert again.is_empty, again.upgrade


def test_a_column_that_is_not_counted_becomes_an_identity_column(either: Database) -> None:
    plain = HEAD.replace("COLUMN", "sa_column=sa.Column(sa.Integer, primary_key=True, autoincrement=False)")
    evolve(either, Evolution(plain, with_identity("start=50"), """insert into "Order" (id, name) values (3, 'a')"""))

    assert next_id(either) == 50
    execute(either, 'delete from "Order"')
