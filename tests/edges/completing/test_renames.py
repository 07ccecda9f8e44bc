"""What was renamed keeps its values, its indexes and its constraints."""

from __future__ import annotations

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, generate, models, opened
from tests.servers import Database

BASE = """
import sqlalchemy as sa
from sqlmodel import Field


class Team(SQLModel, table=True):
    __tablename__ = "teams"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)


class User(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=50, index=True)
    email: str = Field(unique=True)
    team_id: int = Field(foreign_key="teams.id", ondelete="CASCADE", index=True)


class Badge(SQLModel, table=True):
    __tablename__ = "badges"
    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="users.id")
"""
ROWS = """
insert into teams (name) values ('red'), ('blue');
insert into users (name, email, team_id) values ('Ann', '11', 1), ('Bob', '12', 2);
insert into badges (user_id) values (1), (1), (2);
"""


def count(database: Database, query: str) -> object:
    """Ask for one value."""
    connection = database.connect()
    with connection.cursor() as cursor:
        cursor.execute(query)
        row = cursor.fetchone()
        assert row is not None
        return row[0]


COLUMNS = {
    "plain": ("    name: str = Field(max_length=50, index=True)", "    title: str = Field(max_length=50, index=True)", {"users.name": "title"}),
    "unique": ("    email: str = Field(unique=True)", "    mail: str = Field(unique=True)", {"users.email": "mail"}),
    "foreign key": ("    team_id: int =", "    group_id: int =", {"users.team_id": "group_id"}),
    "referenced": (
        '    id: int | None = Field(default=None, primary_key=True)\n    name: str = Field(unique=True)',
        '    number: int | None = Field(default=None, primary_key=True)\n    name: str = Field(unique=True)',
        {"teams.id": "number"},
    ),
    "nullable as well": ("    email: str = Field(unique=True)", "    mail: str | None = Field(default=None, unique=True)", {"users.email": "mail"}),
    "another type as well": ("    email: str = Field(unique=True)", "    mail: int = Field(unique=True)", {"users.email": "mail"}),
    "longer as well": ("    name: str = Field(max_length=50, index=True)", "    title: str = Field(max_length=80)", {"users.name": "title"}),
}  # fmt: skip


@pytest.mark.parametrize("name", COLUMNS)
def test_a_renamed_column_keeps_its_values_and_what_hangs_on_it(either: Database, name: str) -> None:
    old, new, rename = COLUMNS[name]
    after = BASE.replace(old, new).replace('"teams.id"', '"teams.number"' if name == "referenced" else '"teams.id"')

    made = evolve(either, Evolution(BASE, after, ROWS, Answers(rename=rename)))

    assert "new_column_name=" in made.upgrade
    assert "drop_column" not in made.upgrade + made.downgrade
    assert "drop_constraint" not in made.upgrade
    assert count(either, "select count(*) from users u join teams t on true") == 4


def test_a_renamed_table_keeps_its_rows_and_what_hangs_on_it(either: Database) -> None:
    after = (
        BASE.replace('"users"', '"people"').replace('"users.id"', '"people.id"').replace("class User", "class Person")
    )

    made = evolve(either, Evolution(BASE, after, ROWS, Answers(rename={"users": "people"})))

    assert "op.rename_table('users', 'people')" in made.upgrade
    assert "ALTER INDEX ix_users_name RENAME TO ix_people_name" in made.upgrade
    assert "drop_" not in made.upgrade + made.downgrade
    assert count(either, "select count(*) from people p join badges b on b.user_id = p.id") == 3


def test_a_renamed_table_whose_column_gets_another_type(either: Database) -> None:
    after = BASE.replace('"users"', '"people"').replace('"users.id"', '"people.id"').replace("email: str", "email: int")

    made = evolve(either, Evolution(BASE, after, ROWS, Answers(rename={"users": "people"})))

    assert "postgresql_using='email::INTEGER'" in made.upgrade


def test_a_renamed_table_with_other_changes(either: Database) -> None:
    after = (
        BASE.replace('"users"', '"people"')
        .replace('"users.id"', '"people.id"')
        .replace("    email: str = Field(unique=True)\n", "    age: int = 3\n")
        .replace("max_length=50", "max_length=60")
    )

    made = evolve(
        either, Evolution(BASE, after, ROWS, Answers(rename={"users": "people"}, dropped=frozenset({"people.email"})))
    )

    assert "op.add_column('people'" in made.upgrade


def test_both_a_table_and_one_of_its_columns(either: Database) -> None:
    after = (
        BASE.replace('"users"', '"people"')
        .replace('"users.id"', '"people.id"')
        .replace("    name: str = Field(max_length=50", "    title: str = Field(max_length=50")
    )

    made = evolve(either, Evolution(BASE, after, ROWS, Answers(rename={"users": "people", "people.name": "title"})))

    assert count(either, "select string_agg(title, '' order by title) from people") == "AnnBob"
    assert "drop_" not in made.upgrade


@pytest.mark.parametrize(
    ("old", "new", "subject", "choices"),
    [
        (
            "    name: str = Field(max_length=50, index=True)",
            "    title: str = Field(max_length=50)",
            "users.name",
            ("title",),
        ),
        (
            "    name: str = Field(max_length=50, index=True)",
            "    title: str = Field(max_length=80)",
            "users.name",
            ("title",),
        ),
        ('"users"', '"people"', "users", ("people",)),
    ],
)
def test_a_likely_rename_is_asked_about(
    either: Database, old: str, new: str, subject: str, choices: tuple[str, ...]
) -> None:
    after = BASE.replace(old, new).replace('"users.id"', '"people.id"' if "people" in new else '"users.id"')
    begin(either, Evolution(BASE, after, ROWS))
    with opened(either) as connection:
        asked = generate(connection, models(after)).findings.questions
        meant = generate(connection, models(after), Answers(may_lose=True, fill={"users.title": "''"}))

    (question,) = [each for each in asked if each.kind == "rename"]
    assert (question.subject, question.choices) == (subject, choices)
    assert f"--rename {subject}:{choices[0]}" in question.flags
    assert "drop_" in meant.upgrade


@pytest.mark.parametrize("new", ["    title: bool | None = None", "    title: int | None = None"])
def test_another_type_is_no_likely_rename(either: Database, new: str) -> None:
    after = BASE.replace("    name: str = Field(max_length=50, index=True)", new)
    begin(either, Evolution(BASE, after, ROWS))

    with opened(either) as connection:
        assert not generate(connection, models(after)).findings.questions


def test_the_very_same_type_is_proposed_first(either: Database) -> None:
    new = "    title: str\n    label: str = Field(max_length=50)"
    after = BASE.replace("    name: str = Field(max_length=50, index=True)", new)
    begin(either, Evolution(BASE, after, ROWS))

    with opened(either) as connection:
        asked = generate(connection, models(after), Answers(fill={"users.title": "''", "users.label": "''"})).findings

    assert [each.choices for each in asked.questions] == [("label", "title")]


def test_a_table_whose_columns_have_other_names_is_asked_about(either: Database) -> None:
    head = "\n\nclass {}(SQLModel, table=True):\n    __tablename__ = '{}'\n"
    table = head + "    {}: int | None = Field(default=None, primary_key=True)\n    {}: str\n    {}: str\n"
    before = BASE + table.format("Tag", "tag", "id", "name", "colour")
    after = BASE + table.format("Label", "label", "label_id", "title", "hue")
    begin(either, Evolution(before, "", ROWS + "insert into tag (name, colour) values ('a', 'b');"))

    with opened(either) as connection:
        (asked,) = generate(connection, models(after)).findings.questions
        told = {"tag": "label", "label.id": "label_id", "label.name": "title", "label.colour": "hue"}
        made = generate(connection, models(after), Answers(rename=told))
        made.run(connection, "upgrade")
        assert generate(connection, models(after)).is_empty

    assert (asked.subject, asked.choices) == ("tag", ("label",))
    assert count(either, "select title || hue from label where label_id = 1") == "ab"


def test_a_table_in_another_schema_is_not_dropped_without_a_word(either: Database) -> None:
    after = BASE.replace('"badges"', "\"badges\"\n    __table_args__ = {'schema': 'arch'}")
    begin(either, Evolution(BASE, after, ROWS, setup="create schema arch"))

    with opened(either) as connection:
        (asked,) = generate(connection, models(after)).findings.questions
        meant = generate(connection, models(after), Answers(may_lose=True))

    assert asked.flags == ("--allow data-loss",)
    assert "`ALTER TABLE badges SET SCHEMA arch`" in asked.text
    assert "op.drop_table('badges')" in meant.upgrade


def test_an_answer_to_nothing_is_told(either: Database) -> None:
    begin(either, Evolution(BASE, BASE, ROWS))

    with opened(either) as connection:
        found = generate(
            connection, models(BASE), Answers(rename={"users.nmae": "title"}, fill={"users.x": "1"})
        ).findings

    assert found.unused == (("fill", "users.x"), ("rename", "users.nmae"))


def test_a_table_is_dropped_after_what_refers_to_it(either: Database) -> None:
    line = '    team_id: int = Field(foreign_key="teams.id", ondelete="CASCADE", index=True)\n'
    before = BASE.replace(line, '    team_id: int | None = Field(default=None, foreign_key="teams.id")\n')
    after = BASE.replace(line, "")
    after = after[: after.index("class Team")] + after[after.index("class User") :]

    made = evolve(either, Evolution(before, after, ROWS))

    assert made.upgrade.index("op.drop_column('users', 'team_id')") < made.upgrade.index("op.drop_table('teams')")


@pytest.mark.parametrize("name", ["users.email", "accounts.email"])
def test_a_column_of_a_renamed_table_is_renamed_under_either_name_of_the_table(either: Database, name: str) -> None:
    after = BASE.replace('"users"', '"accounts"').replace("users.id", "accounts.id").replace("    email:", "    mail:")

    made = evolve(either, Evolution(BASE, after, ROWS, Answers(rename={"users": "accounts", name: "mail"})))

    assert made.findings.unused == ()
    assert "drop" not in made.upgrade
