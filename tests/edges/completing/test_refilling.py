"""A column that goes, and its way back under rows: its values are gone, its constraints are not."""

from __future__ import annotations

import pytest

from tests.edges.completing.evolving import Evolution, Revision, begin, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
from sqlalchemy import (
    Boolean, CheckConstraint, Column, Date, DateTime, Enum, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, ExcludeConstraint

Table("r", SQLModel.metadata, Column("id", Integer, primary_key=True))
Table("t", SQLModel.metadata, Column("id", Integer, primary_key=True), Column("tenant", Integer), {more})
"""
ROWS = "insert into r default values; insert into t (tenant, {name}) values (1, {one}), (1, {two})"


def evolution(more: str, name: str, one: str, two: str, setup: str = "") -> Evolution:
    """A table with a column and what is attached to it, which loses both."""
    rows = ROWS.format(name=name, one=one, two=two)
    return Evolution(HEAD.format(more=more), HEAD.format(more=""), rows, setup=setup)


@pytest.mark.parametrize(
    ("more", "name", "one", "two"),
    [
        (
            'Column("slug", String(50), nullable=False), UniqueConstraint("tenant", "slug", name="uq")',
            "slug",
            "'a'",
            "'b'",
        ),
        (
            'Column("slug", String(50), nullable=False, server_default="x"), UniqueConstraint("tenant", "slug", name="uq")',
            "slug",
            "'a'",
            "'b'",
        ),
        (
            'Column("slug", String(50), server_default="x"), UniqueConstraint("tenant", "slug", name="uq")',
            "slug",
            "'a'",
            "'b'",
        ),
        (
            'Column("email", String(50), nullable=False), Index("uq_low", text("lower(email)"), unique=True)',
            "email",
            "'a'",
            "'b'",
        ),
        (
            'Column("day", Date, nullable=False), UniqueConstraint("tenant", "day", name="uq")',
            "day",
            "'2020-01-01'",
            "'2020-01-02'",
        ),
        (
            'Column("at", DateTime(timezone=True), nullable=False), Index("ix", "tenant", "at", unique=True)',
            "at",
            "'2020-01-01'",
            "'2020-01-02'",
        ),
        ('Column("price", Integer, nullable=False), CheckConstraint("price > 0", name="ck")', "price", "5", "6"),
        ('Column("price", Integer, nullable=False), CheckConstraint("price >= 10")', "price", "50", "60"),
        ('Column("price", Integer), CheckConstraint("price > 0", name="ck")', "price", "5", "6"),
        (
            'Column("price", Integer, nullable=False, server_default="3"), CheckConstraint("price > 0", name="ck")',
            "price",
            "5",
            "6",
        ),
        (
            'Column("s", String(9), nullable=False), CheckConstraint("s = \'up\' or s = \'down\'", name="ck")',
            "s",
            "'up'",
            "'down'",
        ),
        (
            'Column("s", Enum("a", "b", name="e"), nullable=False), CheckConstraint("s <> \'a\'", name="ck")',
            "s",
            "'b'",
            "'b'",
        ),
    ],
)
def test_all_that_went_with_it_comes_back(either: Database, more: str, name: str, one: str, two: str) -> None:
    evolve(either, evolution(more, name, one, two))


RANGE = 'Column("during", INT4RANGE), Column("room", Integer{null}), '


def test_an_exclusion_over_ranges_comes_back(either: Database) -> None:
    more = RANGE.format(null="") + 'ExcludeConstraint(("during", "&&"), name="ex_r", using="gist")'

    evolve(either, evolution(more, "during", "'[1,3)'", "'[3,5)'"))


def test_rows_are_told_apart_under_an_exclusion_of_equal_values(either: Database) -> None:
    more = RANGE.format(null=", nullable=False") + 'ExcludeConstraint(("room", "="), name="ex_r", using="btree")'
    after = HEAD.format(more='Column("during", INT4RANGE)')

    evolve(either, Evolution(HEAD.format(more=more), after, ROWS.format(name="room", one="1", two="2")))


def there_and_back(database: Database, change: Evolution) -> Revision:
    """Go up, down and up again where the way back cannot be the whole way."""
    begin(database, change)
    with opened(database) as connection:
        revision = generate(connection, models(change.after))
        assert not revision.findings.questions
        for direction in ("upgrade", "downgrade", "upgrade"):
            revision.run(connection, direction)
        assert generate(connection, models(change.after)).is_empty
        revision.run(connection, "downgrade")
    return revision


def test_a_check_that_no_value_is_known_for_comes_back_and_looks_at_no_row(either: Database) -> None:
    more = 'Column("price", Integer, nullable=False), CheckConstraint("mod(price, 7) = 3 and price > 50", name="ck")'

    made = there_and_back(either, evolution(more, "price", "59", "66"))

    assert "NOT VALID" in made.downgrade
    assert any("CHECK constraint ck comes back NOT VALID" in each for each in made.findings.notes)
    assert "# CHECK constraint ck comes back NOT VALID" in made.downgrade


def test_a_check_over_two_columns_comes_back_and_looks_at_no_row(either: Database) -> None:
    more = 'Column("price", Integer, nullable=False), CheckConstraint("price > tenant", name="ck")'

    made = there_and_back(either, evolution(more, "price", "59", "66"))

    assert "NOT VALID" in made.downgrade


def test_an_exclusion_over_an_expression_is_named_and_left_out(either: Database) -> None:
    more = (
        'Column("low", Integer, nullable=False), Column("high", Integer, nullable=False), '
        'ExcludeConstraint((text("int4range(low, high)"), "&&"), name="ex_r", using="gist")'
    )
    before = HEAD.format(more=more.partition(", ExcludeConstraint")[0])
    rows = "insert into t (low, high) values (1, 3), (3, 5)"
    begin(either, Evolution(before, ""))
    execute(either, f"alter table t add constraint ex_r exclude using gist (int4range(low, high) with &&); {rows}")
    with opened(either) as connection:
        made = generate(connection, models(HEAD.format(more='Column("high", Integer, nullable=False)')))
        made.run(connection, "upgrade")
        made.run(connection, "downgrade")

    assert "# EXCLUDE constraint ex_r does not come back" in made.downgrade
    assert any("ex_r does not come back" in each for each in made.findings.notes)


def test_a_key_to_another_table_that_is_unique_stays_empty(either: Database) -> None:
    more = 'Column("rid", Integer, ForeignKey("r.id"), nullable=False, unique=True)'

    made = there_and_back(
        either,
        Evolution(
            HEAD.format(more=more), HEAD.format(more=""), "insert into r values (7); insert into t (rid) values (7)"
        ),
    )

    assert "the column stays nullable" in made.downgrade
