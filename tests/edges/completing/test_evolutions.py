"""Models before and after: the revision runs up, down and up again on tables with rows, and leaves nothing to find."""

from __future__ import annotations

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field


class Mood(str, Enum):
    SAD = "SAD"
    OK = "OK"


class Team(SQLModel, table=True):
    __tablename__ = "teams"
    id: int | None = Field(default=None, primary_key=True)
    name: str


class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=50)
    note: str | None = None
    #
"""
ROWS = """
insert into teams (name) values ('red'), ('blue');
insert into users (name, note) values ('Ann', '1'), ('Bob', '22'), ('Cy', null);
"""


def with_column(line: str, *, before: str = "") -> tuple[str, str]:
    """The models with one column on the table `users`, and with another or none before."""
    return HEAD.replace("    #\n", f"    {before}\n" if before else ""), HEAD.replace("    #\n", f"    {line}\n")


ADDED = {
    "constant": ("age: int = 3", "server_default=sa.text('3')", {}),
    "text constant": ("""title: str = "it's 5:00" """, "server_default=sa.text(", {}),
    "false": ("is_admin: bool = False", "server_default=sa.text('false')", {}),
    "decimal": ("""cost: Decimal = Field(default=Decimal("1.50"), max_digits=9, decimal_places=2)""", "1.50", {}),
    "enum": ("mood: Mood = Mood.OK", "server_default=sa.text(\"'OK'\")", {}),
    "answered constant": ("age: int", "server_default=sa.text('7')", {"users.age": "7"}),
    "answered uuid": ("key: UUID = Field(default_factory=uuid4)", "backfill('users', 'key = gen_random_uuid()'", {"users.key": "gen_random_uuid()"}),
    "answered expression": ("upper: str", "backfill('users', 'upper = upper(name)'", {"users.upper": "upper(name)"}),
    "answered moment": ("at: datetime", "server_default=sa.text('now()')", {"users.at": "now()"}),
    "model default": ("""seen: int = Field(default=0, sa_column_kwargs={"server_default": "5"})""", "server_default='5'", {}),
    "nullable": ("age: int | None = None", "nullable=True", {}),
    "unique": ("email: str | None = Field(default=None, unique=True)", "'users_email_key'", {}),
    "foreign key": ("""team_id: int | None = Field(default=None, foreign_key="teams.id")""", "'users_team_id_fkey'", {}),
    "identity": ("n: int = Field(sa_column=sa.Column(sa.Integer, sa.Identity(), nullable=False))", "sa.Identity(", {}),
    "computed": ("""big: str | None = Field(default=None, sa_column=sa.Column(sa.Text, sa.Computed("upper(name)", persisted=True)))""", "sa.Computed(", {}),
    "json": ("""data: dict[str, Any] = Field(default={"a": 1}, sa_type=pg.JSONB)""", "server_default=sa.text(", {}),
    "array constant": ("""labels: list[str] = Field(default=["a", "b"], sa_type=pg.ARRAY(sa.Text))""", "ARRAY['a', 'b']", {}),
    "array": ("tags: list[str] = Field(sa_type=pg.ARRAY(sa.Text))", "server_default=sa.text(", {"users.tags": "'{}'"}),
}  # fmt: skip


@pytest.mark.parametrize("name", [each for each in ADDED if "backfill" not in ADDED[each][1]])
def test_a_column_is_added_to_a_table_with_rows(either: Database, name: str) -> None:
    line, expected, fill = ADDED[name]
    before, after = with_column(line)

    made = evolve(either, Evolution(before, after, ROWS, Answers(fill=fill)))

    assert expected in made.upgrade


@pytest.mark.parametrize("name", ADDED)
def test_a_column_is_dropped_from_a_table_with_rows_and_comes_back(either: Database, name: str) -> None:
    after, before = with_column(ADDED[name][0])
    rows = {
        "answered constant": "alter table users alter age set default 1",
        "answered uuid": "alter table users alter key set default gen_random_uuid()",
        "answered expression": "alter table users alter upper set default 'x'",
        "answered moment": "alter table users alter at set default now()",
        "array": "alter table users alter tags set default '{}'",
    }.get(name, "")
    defaults = {
        "constant": "age",
        "text constant": "title",
        "false": "is_admin",
        "decimal": "cost",
        "enum": "mood",
        "json": "data",
        "array constant": "labels",
    }
    if name in defaults:
        value = {"title": "'x'", "is_admin": "true", "mood": "'SAD'", "data": "'{}'", "labels": "'{}'"}.get(
            defaults[name], "2"
        )
        rows = f"alter table users alter {defaults[name]} set default {value}"
    column = rows.split(" alter ")[-1].split(" ")[0] if rows else ""
    back = f"; alter table users alter {column} drop default" if rows else ""

    made = evolve(either, Evolution(before, after, f"{rows};{ROWS}{back}"))

    assert "op.drop_column('users'" in made.upgrade


RETYPED = {
    "timestamp to timestamptz": (
        "at: datetime | None = Field(default=None, sa_type=sa.DateTime)",
        "at: datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))",
        "postgresql_using=\"at AT TIME ZONE 'UTC'\"",
    ),
    "text to integer": ("n: str | None = None", "n: int | None = None", "postgresql_using='n::INTEGER'"),
    "text to enum": ("m: str | None = None", "m: Mood | None = None", "postgresql_using='m::text::mood'"),
    "text to jsonb": ("d: str | None = None", "d: dict[str, Any] | None = Field(default=None, sa_type=pg.JSONB)", "d::JSONB"),
    "integer to boolean": ("b: int | None = None", "b: bool | None = None", "postgresql_using='b <> 0'"),
    "date to timestamptz": (
        "at: date | None = None",
        "at: datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))",
        "postgresql_using=\"at::timestamp AT TIME ZONE 'UTC'\"",
    ),
    "integer to numeric": ("i: int | None = None", "i: Decimal | None = Field(default=None, max_digits=9, decimal_places=2)", "precision=9"),
    "longer text": ("t: str | None = Field(default=None, max_length=5)", "t: str | None = Field(default=None, max_length=50)", "length=50"),
    "with a default": (
        """k: str = Field(default="1", sa_column_kwargs={"server_default": "1"})""",
        """k: int = Field(default=1, sa_column_kwargs={"server_default": "1"})""",
        "server_default=None",
    ),
    "integer to text": ("i: int | None = None", "i: str | None = None", "type_=sa.String()"),
    "uuid to text": ("u: UUID | None = None", "u: str | None = None", "type_=sa.String()"),
    "enum to text": ("m: Mood | None = None", "m: str | None = None", "name='mood').drop("),
}  # fmt: skip
VALUES = {
    "timestamp to timestamptz": "at = '2026-01-02 03:04'",
    "text to integer": "n = '12'",
    "text to enum": "m = 'SAD'",
    "text to jsonb": """d = '{"a": 1}'""",
    "integer to boolean": "b = 1",
    "date to timestamptz": "at = '2026-01-02'",
    "integer to numeric": "i = 12",
    "longer text": "t = 'abc'",
    "with a default": "k = '3'",
    "integer to text": "i = 4",
    "uuid to text": "u = gen_random_uuid()",
    "enum to text": "m = 'OK'",
}


@pytest.mark.parametrize("name", RETYPED)
def test_a_column_gets_another_type_with_its_values(either: Database, name: str) -> None:
    old, new, expected = RETYPED[name]
    before, after = with_column(new, before=old)

    made = evolve(either, Evolution(before, after, f"{ROWS} update users set {VALUES[name]} where name <> 'Cy'"))

    assert expected in made.upgrade


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("n: str | None = None", "n: int | None = None", "not every value can go (22P02) from VARCHAR to INTEGER"),
        ("n: str | None = None", "n: Mood | None = None", "2 values are no member, and cannot go"),
        ("n: str | None = None", "n: dict[str, Any] | None = Field(default=None, sa_type=pg.JSONB)", "(22P02) from VARCHAR to JSONB"),
        ("n: str | None = Field(default=None, max_length=9)", "n: str | None = Field(default=None, max_length=3)", "2 values are too long"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_go_is_found_before_anything_is_written(
    either: Database, old: str, new: str, said: str
) -> None:
    before, after = with_column(new, before=old)
    begin(either, Evolution(before, after, f"{ROWS} update users set n = 'word' where name <> 'Cy'"))

    with opened(either) as connection:
        (question,) = generate(connection, models(after)).findings.questions

    assert (question.kind, question.flags) == ("convert", ())
    assert said in question.text


DECIMAL = "n: Decimal | None = Field(default=None, max_digits=9, decimal_places="
MOMENT = "n: datetime | None = Field(default=None, sa_type=sa.DateTime)"
LOSSY = {
    "a fraction": ("n: Decimal | None = None", "n: int | None = None", "9.99", "NUMERIC to INTEGER"),
    "a shorter fraction": (f"{DECIMAL}2)", f"{DECIMAL}1)", "9.99", "NUMERIC(9, 2) to NUMERIC(9, 1)"),
    "a float": ("n: float | None = None", "n: int | None = None", "1.5", "DOUBLE PRECISION to INTEGER"),
    "a time of day": (MOMENT, "n: date | None = None", "'2026-01-02 03:04'", "TIMESTAMP WITHOUT TIME ZONE to DATE"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSY)
def test_values_that_would_become_other_ones_are_counted_and_asked_about(either: Database, name: str) -> None:
    old, new, value, change = LOSSY[name]
    before, after = with_column(new, before=old)
    begin(either, Evolution(before, after, f"{ROWS} update users set n = {value} where name = 'Ann'"))

    with opened(either) as connection:
        (question,) = generate(connection, models(after)).findings.questions
        meant = generate(connection, models(after), Answers(may_lose=True))

    assert question.flags == ("--allow data-loss",)
    assert f"users.n: 1 value here becomes another one from {change}" in question.text
    assert "op.alter_column('users', 'n'" in meant.upgrade


def test_whole_numbers_go_without_a_question_and_too_large_ones_not_at_all(either: Database) -> None:
    before, after = with_column(
        "n: int | None = None", before="n: int | None = Field(default=None, sa_type=sa.BigInteger)"
    )
    begin(either, Evolution(before, after, f"{ROWS} update users set n = 5"))
    with opened(either) as connection:
        assert not generate(connection, models(after)).findings.questions
    execute(either, "update users set n = 5000000000 where name = 'Ann'")

    with opened(either) as connection:
        (question,) = generate(connection, models(after)).findings.questions

    assert (question.kind, question.flags) == ("convert", ())
    assert "users.n: not every value can go (22003) from BIGINT to INTEGER" in question.text


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("sa.Date", "sa.DateTime(timezone=True)", "'2026-07-01'"),
        ("sa.DateTime(timezone=True)", "sa.Date", "'2026-07-01 00:30+00'"),
    ],
)
def test_a_day_is_the_same_one_afterwards_whatever_the_servers_zone(
    either: Database, old: str, new: str, value: str
) -> None:
    before, after = with_column(
        f"at: Any = Field(default=None, nullable=True, sa_type={new})",
        before=f"at: Any = Field(default=None, nullable=True, sa_type={old})",
    )
    execute(either, f"alter database {either.name} set timezone = 'America/New_York'")

    evolve(either, Evolution(before, after, f"{ROWS} update users set at = {value}", Answers(may_lose=True)))

    connection = either.connect()
    with connection.cursor() as cursor:
        cursor.execute("select distinct extract(epoch from at)::bigint from users")
        assert cursor.fetchall() == [(1782864000,)]


def test_an_array_of_times_is_not_converted_into_another_zone(either: Database) -> None:
    before, after = with_column(
        "at: Any = Field(default=None, nullable=True, sa_type=pg.ARRAY(sa.DateTime(timezone=True)))",
        before="at: Any = Field(default=None, nullable=True, sa_type=pg.ARRAY(sa.DateTime))",
    )
    begin(either, Evolution(before, after, ROWS))

    with opened(either) as connection:
        (question,) = generate(connection, models(after)).findings.questions

    assert "element by element" in question.text


@pytest.mark.parametrize("kind", ["sa.Text", "sa.Integer"])
def test_an_empty_list_is_what_rows_get(either: Database, kind: str) -> None:
    before, after = with_column(
        f"tags: list[Any] = Field(default=[], sa_column=sa.Column(pg.ARRAY({kind}), nullable=False, default=[]))"
    )

    made = evolve(either, Evolution(before, after, ROWS))

    assert "server_default=sa.text(\"'{}'\")" in made.upgrade


def test_nulls_of_a_column_that_may_hold_none_any_more(either: Database) -> None:
    """The constant of the models fills them; without one they are asked about."""
    before, asked = with_column("x: int", before="x: int | None = None")
    begin(either, Evolution(before, asked, ROWS))
    with opened(either) as connection:
        (question,) = generate(connection, models(asked)).findings.questions
    assert "users.x becomes NOT NULL, and 3 rows here hold none" in question.text
    execute(either, "drop table users; drop table teams")

    made = evolve(either, Evolution(before, with_column("x: int = 4")[1], ROWS))

    assert "UPDATE users SET x = 4 WHERE x IS NULL" in made.upgrade


def test_a_moment_is_the_same_one_afterwards_whatever_the_servers_zone(either: Database) -> None:
    old, new, _ = RETYPED["timestamp to timestamptz"]
    before, after = with_column(new, before=old)
    execute(either, f"alter database {either.name} set timezone = 'America/New_York'")

    evolve(either, Evolution(before, after, f"{ROWS} update users set at = '2026-01-02 12:00'"))

    connection = either.connect()
    with connection.cursor() as cursor:
        cursor.execute("select distinct extract(epoch from at)::bigint from users")
        assert cursor.fetchall() == [(1767355200,)]


def test_one_value_for_all_rows_is_none_for_a_unique_column(either: Database) -> None:
    before, after = with_column('code: str = Field(default="x", unique=True)')
    begin(either, Evolution(before, after, ROWS))

    with opened(either) as connection:
        (question,) = generate(connection, models(after)).findings.questions

    assert "users.code is NOT NULL and unique, so it needs a value of its own in each row" in question.text
