"""A conversion of a column, and what stands in its way: indexes, CHECK constraints and foreign keys."""

from __future__ import annotations

import pytest

from tests.edges.completing.evolving import Evolution, begin, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
from sqlalchemy import CheckConstraint, Column, DateTime, Enum, ForeignKey, Index, Integer, String, Table, Text, Uuid, text

"""
TABLE = """
Table(
    "t",
    SQLModel.metadata,
    Column("id", Integer, primary_key=True),
    Column("status", {kind}, nullable=False, server_default="open"),
    {more}
)
"""
ENUM = 'Enum("open", "closed", name="status")'
ROWS = "insert into t (status) values ('open'), ('closed')"


def table(kind: str, more: str) -> str:
    """Write a table with a column of a type."""
    return HEAD + TABLE.format(kind=kind, more=more)


@pytest.mark.parametrize("kind", ["String(20)", "Text"])
@pytest.mark.parametrize(
    "more",
    [
        'Index("ix_o", "id", postgresql_where=text("status=\'open\'")),',
        'Index("ix_o", "id", unique=True, postgresql_where=text("status=\'open\'")),',
        'Index("ix_c", text("(status = \'open\')")),',
        'CheckConstraint("status <> \'closed\' or id > 0", name="ck_s"),',
        'CheckConstraint("id > 0"), Index("ix_i", "status", postgresql_where=text("id > 0")),',
    ],
)
def test_text_becomes_an_enum_under_what_names_it(either: Database, kind: str, more: str) -> None:
    evolve(either, Evolution(table(kind, more), table(ENUM, more), ROWS))


def test_a_list_of_values_is_checked_for_an_enum_too(either: Database) -> None:
    more = """CheckConstraint("status in ('open', 'closed')"),"""

    evolve(either, Evolution(table("Text", more), table(ENUM, more), ROWS))


def test_an_enum_becomes_text_under_what_names_it(either: Database) -> None:
    more = """Index("ix_o", "id", postgresql_where=text("status='open'")), CheckConstraint("status <> 'closed' or id > 0", name="ck"),"""

    evolve(either, Evolution(table(ENUM, more), table("Text", more), ROWS))


def test_an_index_that_goes_with_the_conversion_goes_before(either: Database) -> None:
    more = """Index("ix_o", "id", postgresql_where=text("status='open'")),"""

    evolve(either, Evolution(table("Text", more), table(ENUM, ""), ROWS))


def test_a_condition_over_a_time_gets_the_zone_with_the_column(either: Database) -> None:
    more = """Index("ix_n", "id", postgresql_where=text("at > '2020-01-01'")), Column("at", {}),"""

    evolve(
        either,
        Evolution(
            table("Text", more.format("DateTime")),
            table("Text", more.format("DateTime(timezone=True)")),
            ROWS + "; update t set at = '2024-01-01'",
        ),
    )


def test_a_check_that_the_models_do_not_have_is_named(either: Database) -> None:
    begin(either, Evolution(table("Text", ""), "", ROWS))
    execute(either, "alter table t add constraint by_hand check (status <> 'x')")
    with opened(either) as connection:
        found = generate(connection, models(table(ENUM, ""))).findings.questions

    assert any("CHECK constraint by_hand names it" in each.text for each in found)


KEYS = """
Table("r", SQLModel.metadata, Column("id", {kind}, primary_key=True), Column("up", {kind}, ForeignKey("r.id"{how})))
Table(
    "t",
    SQLModel.metadata,
    Column("id", Integer, primary_key=True),
    Column("rid", {kind}, ForeignKey("r.id"{how})),
)
"""
ONE = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("how", ["", ', ondelete="CASCADE", onupdate="RESTRICT"', ", deferrable=True"])
def test_a_key_and_what_refers_to_it_change_together(either: Database, how: str) -> None:
    before, after = (HEAD + KEYS.format(kind=kind, how=how) for kind in ("String(36)", "Uuid"))
    rows = f"insert into r values ('{ONE}', '{ONE}'); insert into t (rid) values ('{ONE}')"

    made = evolve(either, Evolution(before, after, rows))

    assert made.upgrade.count("DROP CONSTRAINT") == 2
    assert made.upgrade.count("create_foreign_key") == 2


def test_a_key_changes_together_with_the_rule_of_what_refers_to_it(either: Database) -> None:
    before = HEAD + KEYS.format(kind="String(36)", how="")
    after = HEAD + KEYS.format(kind="Uuid", how=', ondelete="CASCADE"')
    rows = f"insert into r values ('{ONE}', '{ONE}'); insert into t (rid) values ('{ONE}')"

    evolve(either, Evolution(before, after, rows))


def test_a_wider_number_leaves_the_foreign_key_alone(either: Database) -> None:
    before, after = (
        HEAD.replace("Text,", "Text, BigInteger,") + KEYS.format(kind=kind, how="")
        for kind in ("Integer", "BigInteger")
    )

    made = evolve(either, Evolution(before, after, "insert into r values (1, 1); insert into t (rid) values (1)"))

    assert "CONSTRAINT" not in made.upgrade
