"""What the database lets stand in the way is named before anything is written; what can be put aside is."""

from __future__ import annotations

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
import sqlalchemy as sa
from enum import Enum
from typing import Any
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field


class Status(str, Enum):
    OPEN = "OPEN"
    DONE = "DONE"


class Task(SQLModel, table=True):
    __tablename__ = "t"
    id: int | None = Field(default=None, primary_key=True)
"""
DOUBLED = (
    "    g: int | None = Field(default=None, sa_column=sa.Column(sa.Integer, sa.Computed('x * 2', persisted=True)))\n"
)
X = "    x: int | None = None\n"
Y = "    y: int | None = None\n"
BIG = "    x: int | None = Field(default=None, sa_type=sa.BigInteger)\n"


@pytest.mark.parametrize(
    ("before", "after", "setup", "said"),
    [
        (X, BIG, "create view v as select x from t", "column t.x cannot get another type below rule _RETURN on view v"),
        (X + Y, Y, "create view v as select x from t", "column t.x cannot be dropped below rule _RETURN on view v"),
        (X + DOUBLED, BIG + DOUBLED, "", "column t.x cannot get another type below "),
        (X + Y + DOUBLED, X + Y, "create view v as select g from t", "column t.g cannot be dropped below"),
        (X, BIG, "create policy p on t using (x > 0)", "below policy p on table t"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_named(either: Database, before: str, after: str, setup: str, said: str) -> None:
    begin(either, Evolution(HEAD + before, "", "insert into t (x) values (1)"))
    execute(either, setup)

    with opened(either) as connection:
        asked = generate(connection, models(HEAD + after), Answers(may_lose=True)).findings.questions

    assert [each.kind for each in asked] == ["convert"] * len(asked)
    assert any(said in each.text for each in asked), asked


def test_a_table_below_a_view_is_named(either: Database) -> None:
    more = "\n\nclass More(SQLModel, table=True):\n    __tablename__ = 'more'\n    id: int | None = Field(default=None, primary_key=True)\n"
    begin(either, Evolution(HEAD + more, ""))
    execute(either, "create view v as select id from more")

    with opened(either) as connection:
        (asked,) = generate(connection, models(HEAD)).findings.questions

    assert "table more cannot be dropped below rule _RETURN on view v" in asked.text


def test_a_computed_column_goes_before_what_it_is_computed_of(either: Database) -> None:
    evolve(either, Evolution(HEAD + X + DOUBLED + Y, HEAD + Y, "insert into t (x) values (1)"))


def test_a_rename_beside_a_partial_index(either: Database) -> None:
    index = "sa.Index('ix_p', 'y', postgresql_where=sa.text('y > 0'))"
    before = (
        HEAD.replace("    id:", f"    __table_args__ = ({index},)\n    id:") + "    n: str = Field(index=True)\n" + Y
    )
    after = before.replace(" n: str", " m: str").replace("'y > 0'", "'y > 1'").replace("ix_p", "ix_q")

    evolve(either, Evolution(before, after, "insert into t (n, y) values ('a', 1)", Answers(rename={"t.n": "m"})))


def test_a_partial_index_over_a_renamed_column(either: Database) -> None:
    index = "sa.Index('ix_p', 'n', postgresql_where=sa.text('y > 0'))"
    before = HEAD.replace("    id:", f"    __table_args__ = ({index},)\n    id:") + "    n: str\n" + Y
    after = before.replace(" n: str", " m: str").replace("'n'", "'m'")

    evolve(either, Evolution(before, after, "insert into t (n, y) values ('a', 1)", Answers(rename={"t.n": "m"})))


DEFERRED = "sa.UniqueConstraint('x', deferrable=True, initially='DEFERRED', name='uq')"
INCLUDING = "sa.UniqueConstraint('x', postgresql_include=['y'], name='uq')"


@pytest.mark.parametrize("constraint", [DEFERRED, INCLUDING])
def test_a_special_unique_constraint_comes_goes_and_comes_back(either: Database, constraint: str) -> None:
    plain = HEAD + X + Y
    special = plain.replace("    id:", f"    __table_args__ = ({constraint},)\n    id:")

    evolve(either, Evolution(plain, special, "insert into t (x) values (1), (2)"))
    execute(either, "drop table t")
    evolve(either, Evolution(special, plain, "insert into t (x) values (1), (2)"))


def test_numbers_that_are_none_and_other_types(either: Database) -> None:
    evolve(either, Evolution(HEAD + X, HEAD + X + "    f: float = float('inf')\n", "insert into t (x) values (1)"))


CONVERSIONS = {
    "money": ("pg.MONEY", "sa.Numeric(12, 2)", "5"),
    "text to an array of an enum": ("pg.ARRAY(sa.Text)", "pg.ARRAY(sa.Enum(Status, name='status'))", "'{OPEN,DONE}'"),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_odd_conversions(either: Database, name: str) -> None:
    old, new, value = CONVERSIONS[name]
    column = "    v: Any = Field(default=None, sa_column=sa.Column({}))\n"

    evolve(
        either, Evolution(HEAD + column.format(old), HEAD + column.format(new), f"insert into t (v) values ({value})")
    )


KEYED = """
import sqlalchemy as sa
from sqlmodel import Field


class A(SQLModel, table=True):
    __tablename__ = "a"
    x: int = Field(primary_key=True)
    y: int


class B(SQLModel, table=True):
    __tablename__ = "b"
    id: int | None = Field(default=None, primary_key=True)
    x: int = Field(foreign_key="a.x", ondelete="CASCADE")
"""
KEYS = "insert into a values (1, 1), (2, 1); insert into b (x) values (1), (1)"


def test_a_reference_to_the_old_key_is_named_where_nothing_is_left_to_lean_on(either: Database) -> None:
    begin(either, Evolution(KEYED, "", KEYS))

    with opened(either) as connection:
        after = KEYED.replace("    y: int\n", "    y: int = Field(primary_key=True)\n")
        (asked,) = generate(connection, models(after)).findings.questions

    assert "a loses the key (x), to which b_x_fkey of b refers" in asked.text


SURROGATE = KEYED.replace(
    "    x: int = Field(primary_key=True)\n    y: int\n",
    "    id: int | None = Field(default=None, primary_key=True)\n    x: int = Field(unique=True)\n    y: int\n",
    1,
)


def test_a_surrogate_key_takes_the_place_of_a_natural_one_that_others_refer_to(either: Database) -> None:
    """The rows are numbered; the foreign key leans on the unique constraint from then on."""
    made = evolve(either, Evolution(KEYED, SURROGATE, KEYS))

    assert "ADD COLUMN id SERIAL NOT NULL" in made.upgrade


def test_and_back(either: Database) -> None:
    rows = "insert into a (x, y) values (1, 1), (2, 1); insert into b (x) values (1), (1)"

    evolve(either, Evolution(SURROGATE, KEYED, rows, Answers(may_lose=True)))


@pytest.mark.parametrize(("old", "new"), [("x * 2", ""), ("", "x * 2")])
def test_a_column_that_is_computed_on_one_side_only_is_named(either: Database, old: str, new: str) -> None:
    plain = "    g: int | None = None\n"
    before, after = (X + (DOUBLED if each else plain) for each in (old, new))
    begin(either, Evolution(HEAD + before, "", "insert into t (x) values (1)"))

    with opened(either) as connection:
        (asked,) = generate(connection, models(HEAD + after)).findings.questions

    assert "t.g is computed in the " in asked.text


ZONED = "    v: Any = Field(default=None, sa_column=sa.Column(sa.DateTime(timezone=True)))\n"
TIMES = {
    "text": ("2026-07-01 12:00", "2026-07-01 12:00:00+00"),
    "text with an offset": ("2026-07-01 12:00+02", "2026-07-01 10:00:00+00"),
    "text with a zone": ("2026-07-01 12:00:00.5 America/New_York", "2026-07-01 16:00:00.5+00"),
    "text of a day": ("2026-07-01", "2026-07-01 00:00:00+00"),
}


@pytest.mark.parametrize("name", TIMES)
def test_a_text_becomes_the_same_moment_whatever_the_servers_zone(either: Database, name: str) -> None:
    value, expected = TIMES[name]
    text = "    v: Any = Field(default=None, sa_column=sa.Column(sa.Text))\n"
    execute(either, f"alter database {either.name} set timezone = 'America/New_York'")

    made = evolve(either, Evolution(HEAD + text, HEAD + ZONED, f"insert into t (v) values ('{value}')"))

    with either.connect() as connection, connection.cursor() as cursor:
        cursor.execute("set timezone = 'UTC'; select v::text from t")
        assert cursor.fetchone() == (expected,)
    connection.close()
    assert "t.v: the values are taken for times in UTC" in made.findings.notes[0]


def test_a_number_that_is_no_boolean_is_asked_about(either: Database) -> None:
    begin(either, Evolution(HEAD + X, "", "insert into t (x) values (0), (1), (7)"))

    with opened(either) as connection:
        (asked,) = generate(connection, models(HEAD + X.replace("int", "bool"))).findings.questions

    assert "t.x: 1 value here becomes another one from INTEGER to BOOLEAN" in asked.text


def test_arrays_of_arrays_lose_no_member(either: Database) -> None:
    column = "    v: Any = Field(default=None, sa_column=sa.Column(pg.ARRAY(sa.Enum(Status, name='status'))))\n"
    begin(either, Evolution(HEAD + column, "", "insert into t (v) values ('{{OPEN,DONE},{DONE,OPEN}}')"))

    with opened(either) as connection:
        after = HEAD.replace('    DONE = "DONE"\n', "") + column
        (asked,) = generate(connection, models(after), Answers(may_lose=True)).findings.questions

    assert "t.v holds arrays of arrays" in asked.text


def test_a_domain_comes_with_the_column_that_needs_it(either: Database) -> None:
    kind = "pg.DOMAIN('email_d', sa.Text, check=\"value like '%@%:x'\")"
    after = HEAD + X + f"    mail: str | None = Field(default=None, sa_column=sa.Column({kind}))\n"

    evolve(either, Evolution(HEAD + X, after, "insert into t (x) values (1)"))


@pytest.mark.parametrize("form", ["unique=True", "unique=True, index=True"])
def test_values_that_come_twice_are_counted_before_they_are_to_be_unique(either: Database, form: str) -> None:
    begin(either, Evolution(HEAD + X + Y, "", "insert into t (x) values (1), (1), (2), (null), (null)"))
    after = HEAD + f"    z: int | None = Field(default=None, {form})\n" + Y

    with opened(either) as connection:
        (asked,) = generate(connection, models(after), Answers(rename={"t.x": "z"})).findings.questions
        execute(either, "update t set x = id where x is not null")
        fine = generate(connection, models(after), Answers(rename={"t.x": "z"}))

    assert "t.z becomes unique, and 1 value comes more than once" in asked.text
    assert not fine.findings.questions


def test_a_unique_index_with_a_condition_is_not_looked_at(either: Database) -> None:
    index = "sa.Index('uq_p', 'x', unique=True, postgresql_where=sa.text('x > 1'))"
    after = (HEAD + X).replace("    id:", f"    __table_args__ = ({index},)\n    id:")

    evolve(either, Evolution(HEAD + X, after, "insert into t (x) values (1), (1), (2)"))
