"""Tables that refer to one another, made and dropped in an order that works."""

from __future__ import annotations

from contextlib import closing

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, execute, generate, models, opened
from tests.servers import Database

pytestmark = pytest.mark.filterwarnings("ignore:Cannot correctly sort tables")

ALONE = """
import sqlalchemy as sa
from sqlmodel import Field


class Alone(SQLModel, table=True):
    __tablename__ = "alone"
    id: int | None = Field(default=None, primary_key=True)
"""
TABLE = """

class {name}(SQLModel, table=True):
    __tablename__ = "{table}"
    __table_args__ = {{"schema": {schema!r}}}
    id: int | None = Field(default=None, primary_key=True)
    {column}: int | None = Field(default=None, sa_column=sa.Column(sa.Integer, sa.ForeignKey("{target}.id"{options})))
"""


def cycle(schema: str | None = None, options: str = "", order: str = "ABC") -> str:
    """Two tables that refer to one another, one that refers to them, and one to itself."""
    before = f"{schema}." if schema else ""
    made = {
        "A": ("A", "aa", "b", f"{before}bb"),
        "B": ("B", "bb", "a", f"{before}aa"),
        "C": ("C", "Zu Aa", "a", f"{before}aa"),
    }
    parts = [made[each] for each in order] + [("D", "dd", "d", f"{before}dd")]
    return ALONE + "".join(
        TABLE.format(name=name, table=table, column=column, target=target, schema=schema, options=options)
        for name, table, column, target in parts
    )


CASES = {
    "plain": cycle(),
    "rules": cycle(options=', ondelete="SET NULL", deferrable=True, initially="DEFERRED"'),
    "named and altered": cycle(options=', use_alter=True'),
    "another order": cycle(order="CBA"),
    "a schema": cycle("shop"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_new_tables_that_refer_to_one_another_are_made_with_the_foreign_keys_apart(either: Database, name: str) -> None:
    made = evolve(either, Evolution(ALONE, CASES[name]))

    assert "op.create_foreign_key(" in made.upgrade
    assert "use_alter" not in made.upgrade


@pytest.mark.parametrize("name", CASES)
def test_tables_that_refer_to_one_another_are_dropped_and_come_back(either: Database, name: str) -> None:
    seen = {"include_schemas": True} if name == "a schema" else {}

    made = evolve(either, Evolution(CASES[name], ALONE, answers=Answers(may_lose=True), options=seen))

    assert made.upgrade.count("op.drop_table(") == 4


def test_tables_in_a_row_are_dropped_from_its_end(either: Database) -> None:
    row = "".join(
        TABLE.format(
            name=f"T{n}",
            table=f"t{(n * 7) % 10}",
            column="up",
            target=f"t{((n + 1) * 7) % 10}",
            schema=None,
            options="",
        )
        for n in range(9)
    )
    end = TABLE.format(name="T9", table="t3", column="up", target="t3", schema=None, options="")

    made = evolve(either, Evolution(ALONE + row + end, ALONE, answers=Answers(may_lose=True)))

    assert "drop_constraint" not in made.upgrade


def test_a_foreign_key_to_a_table_that_stays_keeps_its_place(either: Database) -> None:
    one = TABLE.format(name="One", table="one", column="up", target="alone", schema=None, options="")
    begin(either, Evolution(ALONE, ALONE))

    with opened(either) as connection:
        made = generate(connection, models(ALONE + one))

    assert "create_foreign_key" not in made.upgrade


def test_what_is_circular_and_there_already_is_no_difference(either: Database) -> None:
    begin(either, Evolution(CASES["plain"], ""))
    with closing(either.connect()):
        execute(either, "insert into aa default values")

    with opened(either) as connection:
        made = generate(connection, models(CASES["plain"]))

    assert made.is_empty
