"""Enum types: grown in their place, renamed, and made anew when they lose a member; no row is forgotten."""

from __future__ import annotations

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, Revision, begin, evolve, execute, generate, models, opened
from tests.servers import Database

BASE = """
from enum import Enum
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field


class Mood(str, Enum):
    SAD = "SAD"
    OK = "OK"


class Pet(SQLModel, table=True):
    __tablename__ = "pets"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    mood: Mood = Field(default=Mood.SAD, sa_column_kwargs={"server_default": "SAD"})
    past: list[Mood] = Field(default=[], sa_type=pg.ARRAY(sa.Enum(Mood, name="mood")))
"""
ROWS = "insert into pets (name, mood, past) values ('a', 'SAD', '{SAD,OK}'), ('b', 'OK', '{}')"
MEMBERS = '    SAD = "SAD"\n    OK = "OK"\n'


def members(*names: str) -> str:
    """The models with these members."""
    return BASE.replace(MEMBERS, "".join(f'    {each} = "{each}"\n' for each in names))


def rows(database: Database) -> list[tuple[object, ...]]:
    """What the table holds."""
    connection = database.connect()
    with connection.cursor() as cursor:
        cursor.execute("select name, mood::text, past::text from pets order by 1")
        return cursor.fetchall()


def ask(database: Database, after: str, answers: Answers | None = None) -> Revision:
    """Generate only."""
    begin(database, Evolution(BASE, after, ROWS))
    with opened(database) as connection:
        return generate(connection, models(after), answers)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("SAD", "OK", "GLAD"), "'GLAD' AFTER 'OK'"),
        (("SAD", "MEH", "OK"), "'MEH' AFTER 'SAD'"),
        (("GRIM", "SAD", "OK"), "'GRIM' BEFORE 'SAD'"),
        (("GRIM", "BAD", "SAD", "OK", "GLAD"), "'BAD' AFTER 'GRIM'"),
    ],
)
def test_a_new_member_is_added_in_its_place(either: Database, names: tuple[str, ...], expected: str) -> None:
    made = evolve(either, Evolution(BASE, members(*names), ROWS))

    assert f"ADD VALUE IF NOT EXISTS {expected}" in made.upgrade
    assert "autocommit_block()" in made.upgrade
    assert rows(either) == [("a", "SAD", "{SAD,OK}"), ("b", "OK", "{}")]


def test_a_member_that_is_gone_is_asked_about_with_the_number_of_rows(either: Database) -> None:
    made = ask(either, members("SAD"))

    (question,) = made.findings.questions
    assert (question.kind, question.subject, question.choices) == ("replace", "mood.OK", ("SAD",))
    assert "2 rows here hold it" in question.text


def test_a_renamed_member_keeps_its_rows(either: Database) -> None:
    after = members("SAD", "FINE")
    (question,) = ask(either, after).findings.questions
    assert question.choices == ("FINE",)
    execute(either, "drop table pets; drop type mood")

    made = evolve(either, Evolution(BASE, after, ROWS, Answers(rename={"mood.OK": "FINE"})))

    assert "RENAME VALUE 'OK' TO 'FINE'" in made.upgrade
    assert rows(either) == [("a", "SAD", "{SAD,FINE}"), ("b", "FINE", "{}")]


def test_rows_of_a_member_that_goes_get_another(either: Database) -> None:
    made = evolve(either, Evolution(BASE, members("SAD"), ROWS, Answers(replace={"mood.OK": "SAD"})))

    assert "DROP TYPE mood_before" in made.upgrade
    assert rows(either) == [("a", "SAD", "{SAD,SAD}"), ("b", "SAD", "{}")]


def test_the_default_goes_along_with_a_member_that_goes(either: Database) -> None:
    after = (
        members("OK", "GLAD")
        .replace('"server_default": "SAD"', '"server_default": "OK"')
        .replace("Mood.SAD", "Mood.OK")
    )

    evolve(either, Evolution(BASE, after, ROWS, Answers(replace={"mood.SAD": "OK"})))

    assert rows(either) == [("a", "OK", "{OK,OK}"), ("b", "OK", "{}")]


def test_a_new_member_may_be_the_default_of_the_same_revision(either: Database) -> None:
    after = members("SAD", "OK", "GLAD").replace('"server_default": "SAD"', '"server_default": "GLAD"')

    evolve(either, Evolution(BASE, after, ROWS))


def test_a_type_that_another_column_still_uses_stays(either: Database) -> None:
    after = BASE.replace('    mood: Mood = Field(default=Mood.SAD, sa_column_kwargs={"server_default": "SAD"})\n', "")

    made = evolve(either, Evolution(BASE, after, ROWS))

    assert "name='mood').drop(" not in made.upgrade


def test_a_type_goes_with_its_last_column_and_comes_back(either: Database) -> None:
    after = "\n".join(line for line in BASE.splitlines() if "mood:" not in line and "past:" not in line)

    made = evolve(either, Evolution(BASE, after, ROWS))

    assert made.upgrade.index("drop_column('pets', 'past')") < made.upgrade.index("name='mood').drop(")
    assert made.downgrade.index("name='mood').create(") < made.downgrade.index("op.add_column(")


def test_types_and_tables_of_another_schema(either: Database) -> None:
    before = """
from enum import Enum
import sqlalchemy as sa
from sqlmodel import Field

class Size(str, Enum):
    S = "S"
    L = "L"

class Shoe(SQLModel, table=True):
    __tablename__ = "shoes"
    __table_args__ = {"schema": "shop"}
    id: int | None = Field(default=None, primary_key=True)
    size: Size = Field(sa_type=sa.Enum(Size, name="size", schema="shop"))
"""
    after = before.replace('    L = "L"\n', '    M = "M"\n    L = "L"\n').replace(
        "    size: Size",
        '    other: Size = Field(default=Size.S, sa_type=sa.Enum(Size, name="size", schema="shop"))\n    size: Size',
    )
    execute(either, "create schema shop")
    execute(either, "create schema others; create table others.things (id int)")
    evolution = Evolution(before, after, "insert into shop.shoes (size) values ('S'), ('L')")

    made = evolve(either, evolution)

    assert "ALTER TYPE shop.size ADD VALUE IF NOT EXISTS 'M' AFTER 'S'" in made.upgrade
    assert "schema='shop'" in made.upgrade


def test_a_type_that_is_called_otherwise_is_renamed(either: Database) -> None:
    after = (
        BASE.replace("class Mood(", "class Humour(").replace("Mood", "Humour").replace('name="mood"', 'name="humour"')
    )

    made = evolve(either, Evolution(BASE, after, ROWS))

    assert "ALTER TYPE mood RENAME TO humour" in made.upgrade
    assert "type_=" not in made.upgrade


INDEXED = (
    BASE.replace("class Pet(", "class Dog(")
    .replace('"pets"', '"dogs"')
    .replace(
        "    id: int | None = Field(default=None, primary_key=True)\n    name: str",
        """    __table_args__ = (sa.Index("ix_ok", "id", postgresql_where=sa.text("mood = 'OK'")), sa.CheckConstraint("mood <> 'SAD' or id > 0", name="c"))
    id: int | None = Field(default=None, primary_key=True)
    name: str""",
    )
)


@pytest.mark.parametrize(
    ("new", "answers"),
    [
        ("GLAD", Answers()),
        ("", Answers(replace={"mood.OK": "SAD"})),
        ("FINE", Answers(rename={"mood.OK": "FINE"})),
    ],
    ids=["added", "taken", "renamed, and one added"],
)
def test_indexes_and_checks_that_name_members_are_made_anew_with_the_type(
    either: Database, new: str, answers: Answers
) -> None:
    lines = '    SAD = "SAD"\n    OK = "OK"\n    GLAD = "GLAD"\n' if new == "GLAD" else '    SAD = "SAD"\n'
    lines = '    SAD = "SAD"\n    FINE = "FINE"\n    MORE = "MORE"\n' if new == "FINE" else lines
    after = INDEXED.replace(MEMBERS, lines)
    rows = "insert into dogs (name, mood, past) values ('a', 'SAD', '{SAD,OK}'), ('b', 'OK', '{}')"

    evolve(either, Evolution(INDEXED, after, rows, answers))
