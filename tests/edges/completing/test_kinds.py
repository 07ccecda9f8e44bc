"""A model that uses every kind of column, default, index and constraint: made once, found the same afterwards."""

from __future__ import annotations

import pytest

from tests.edges.completing.evolving import Evolution, Revision, begin, evolve, execute, generate, models, opened
from tests.servers import Database

EVERY_KIND = """
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field


class Size(str, Enum):
    S = "S"
    L = "L"


class Parent(SQLModel, table=True):
    __tablename__ = "parents"
    __table_args__ = (
        sa.UniqueConstraint("a", "b"),
        sa.CheckConstraint("a > 0", name="a_is_positive"),
        {"comment": "it's a comment: 100%"},
    )
    id: int | None = Field(default=None, primary_key=True)
    a: int
    b: int


class Kind(SQLModel, table=True):
    __tablename__ = "kinds"
    __table_args__ = (
        sa.Index("ix_kinds_lower", sa.text("lower(s)")),
        sa.Index("ix_kinds_partial", "i", postgresql_where=sa.text("i > 3")),
        sa.Index("ix_kinds_desc", sa.desc("i"), "s"),
        sa.Index("ix_kinds_include", "i", postgresql_include=["s"]),
        sa.Index("ix_kinds_gin", "j", postgresql_using="gin"),
        sa.Index("ix_kinds_unique", "i", "n", unique=True),
        sa.ForeignKeyConstraint(["pa", "pb"], ["parents.a", "parents.b"], onupdate="CASCADE", deferrable=True, initially="DEFERRED"),
        sa.CheckConstraint("i >= 0", name="i_is_positive"),
        pg.ExcludeConstraint((sa.Column("r"), "&&"), name="no_overlap", using="gist"),
    )
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    s: str = Field(max_length=20, sa_column_kwargs={"comment": "a comment"})
    t: str = Field(sa_type=sa.Text, sa_column_kwargs={"server_default": "it's"})
    c: str = Field(sa_type=sa.CHAR(3), sa_column_kwargs={"server_default": ""})
    i: int = Field(sa_column_kwargs={"server_default": "5"})
    big: int = Field(sa_type=sa.BigInteger, sa_column_kwargs={"server_default": sa.text("5")})
    small: int = Field(sa_type=sa.SmallInteger)
    n: Decimal = Field(max_digits=9, decimal_places=2, sa_column_kwargs={"server_default": "1.50"})
    f: float = Field(sa_column_kwargs={"server_default": sa.text("1.5")})
    r4: float = Field(sa_type=sa.REAL)
    ok: bool = Field(sa_column_kwargs={"server_default": sa.false()})
    at: datetime = Field(sa_type=sa.DateTime(timezone=True), sa_column_kwargs={"server_default": sa.func.now()})
    at2: datetime = Field(sa_type=sa.DateTime, sa_column_kwargs={"server_default": sa.text("CURRENT_TIMESTAMP")})
    d: date = Field(sa_column_kwargs={"server_default": sa.text("CURRENT_DATE")})
    h: time
    span: timedelta = Field(sa_type=sa.Interval, sa_column_kwargs={"server_default": sa.text("'1 day'")})
    j: dict[str, Any] = Field(sa_type=pg.JSONB, sa_column_kwargs={"server_default": "{}"})
    js: dict[str, Any] = Field(sa_type=sa.JSON, sa_column_kwargs={"server_default": sa.text("'[]'::json")})
    raw: bytes
    tags: list[str] = Field(sa_type=pg.ARRAY(sa.Text), sa_column_kwargs={"server_default": "{}"})
    size: Size = Field(sa_column_kwargs={"server_default": "S"})
    sizes: list[Size] = Field(sa_type=pg.ARRAY(sa.Enum(Size, name="size")))
    words: Any = Field(sa_type=pg.TSVECTOR)
    ip: Any = Field(sa_type=pg.INET)
    r: Any = Field(sa_type=pg.TSTZRANGE)
    text_size: str = Field(sa_type=sa.Enum("x", "y", name="xy", native_enum=False))
    upper: str | None = Field(sa_column=sa.Column(sa.Text, sa.Computed("upper(t)", persisted=True)))
    counted: int = Field(sa_column=sa.Column(sa.Integer, sa.Identity(always=True, start=10, increment=5), nullable=False))
    own: UUID = Field(sa_column_kwargs={"server_default": sa.text("gen_random_uuid()")})
    many: int = Field(sa_column_kwargs={"server_default": sa.text("(1 + 2)")})
    pa: int | None = None
    pb: int | None = None
    parent_id: int | None = Field(default=None, foreign_key="parents.id", ondelete="SET NULL", index=True)
"""


def made(database: Database, source: str, **options: object) -> Revision:
    """Build, and compare again."""
    begin(database, Evolution(source, source, options=dict(options)))
    with opened(database) as connection:
        return generate(connection, models(source), **options)


def test_nothing_is_found_again_of_any_kind(either: Database) -> None:
    again = made(either, EVERY_KIND)

    assert again.is_empty, again.upgrade


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"server_default": "5"', '"server_default": "6"', "server_default='6'"),
        ('"server_default": "it\'s"', '"server_default": "its"', "server_default='its'"),
        ('sa.text("(1 + 2)")', 'sa.text("(1 + 3)")', "server_default=sa.text('(1 + 3)')"),
        ('{"server_default": "{}"})\n    js', '{"server_default": \'{"a": 1}\'})\n    js', "server_default='{\"a\": 1}'"),
        ('"server_default": sa.false()', '"server_default": sa.true()', "server_default=sa.text('true')"),
        ('"server_default": sa.func.now()', '"server_default": sa.text("now() + interval \'1 day\'")', "interval"),
        ('sa.text("lower(s)")', 'sa.text("upper(s)")', "ix_kinds_lower"),
        ('sa.CheckConstraint("i >= 0", name="i_is_positive")', 'sa.CheckConstraint("i >= 1", name="i_is_one")', "i_is_one"),
        ('{"comment": "a comment"}', '{"comment": "another"}', "comment='another'"),
        ("it's a comment: 100%", "another: 100%", "create_table_comment"),
        ("start=10, increment=5", "start=10, increment=7", "increment=7"),
        ('onupdate="CASCADE"', 'onupdate="RESTRICT"', "onupdate='RESTRICT'"),
        ('sa.UniqueConstraint("a", "b")', 'sa.UniqueConstraint("a", "b"), sa.UniqueConstraint("b", "a", name="ba")', "'ba'"),
    ],
)  # fmt: skip
def test_a_difference_of_each_kind_is_found(either: Database, old: str, new: str, expected: str) -> None:
    assert old in EVERY_KIND

    done = evolve(
        either, Evolution(EVERY_KIND, EVERY_KIND.replace(old, new), "insert into parents (a, b) values (1, 2)")
    )

    assert expected in done.upgrade


def test_names_are_given_to_all_constraints_of_a_new_table(either: Database) -> None:
    with opened(either) as connection:
        text = generate(connection, models(EVERY_KIND)).upgrade

    for name in ("kinds_pkey", "parents_a_b_key", "kinds_pa_pb_fkey", "kinds_parent_id_fkey", "parents_pkey"):
        assert f"name='{name}'" in text
    assert "None" not in text


def test_a_naming_convention_names_them(either: Database) -> None:
    source = """
import sqlalchemy as sa
from sqlmodel import Field

SQLModel.metadata.naming_convention = {"uq": "uq_%(table_name)s_%(column_0_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}

class One(SQLModel, table=True):
    __tablename__ = "ones"
    id: int | None = Field(default=None, primary_key=True)
    e: str = Field(unique=True)
    o: int | None = Field(default=None, foreign_key="ones.id")
"""

    with opened(either) as connection:
        text = generate(connection, models(source)).upgrade

    assert "op.f('uq_ones_e')" in text
    assert "op.f('fk_ones_o')" in text
    assert "op.f('pk_ones')" in text


def test_an_unnamed_check_switches_their_comparison_off(either: Database) -> None:
    source = EVERY_KIND.replace('sa.CheckConstraint("a > 0", name="a_is_positive")', 'sa.CheckConstraint("a > 0")')
    begin(either, Evolution(source, source))
    execute(either, "alter table kinds drop constraint i_is_positive")

    with opened(either) as connection:
        assert generate(connection, models(source)).is_empty


def test_what_is_not_ours_is_left_alone_and_said(either: Database) -> None:
    source = """
from sqlmodel import Field

class Day(SQLModel, table=True):
    __tablename__ = "days"
    __table_args__ = {"postgresql_partition_by": "RANGE (day)"}
    day: int = Field(primary_key=True, index=True)


class Plain(SQLModel, table=True):
    __tablename__ = "plain"
    id: int | None = Field(default=None, primary_key=True)
"""
    begin(either, Evolution(source, source))
    execute(
        either, "create table days_1 partition of days for values from (1) to (2); create index by_hand on days_1 (day)"
    )
    execute(either, "create table heir (more int) inherits (plain)")
    execute(either, "create schema stillroom; create table stillroom.more (id int); create table celery_jobs (id int)")
    execute(either, "create table theirs (id int); create extension hstore; alter extension hstore add table theirs")

    with opened(either) as connection:
        again = generate(connection, models(source), unmanaged=("celery_*",))

    assert again.is_empty, again.upgrade
    assert again.findings.left_alone == {
        "days_1": "partition of days",
        "heir": "inherits from plain",
        "theirs": "of extension hstore",
        "celery_jobs": "in STILLROOM_UNMANAGED_TABLES",
    }
