"""Colons and percent signs in defaults, checks, indexes, names and members come to the server as they are."""

from __future__ import annotations

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, generate, models, opened
from tests.servers import Database

HEAD = """
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field


class Note(SQLModel, table=True):
    __tablename__ = "t"
    __table_args__ = ()
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(default="x", sa_column_kwargs={"server_default": "x"})
"""
ROWS = "insert into t (name) values ('a'), ('b')"
AWKWARD = ["a :b", "see http://x/:id", "%", "50%%", ":x :y 5%s", "12:30 :45", "a::b", r"back\:slash :c", r"\\:d%(e)s"]


def values(database: Database, query: str) -> list[object]:
    """Read one column."""
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = [row[0] for row in cursor.fetchall()]
    connection.close()
    return found


@pytest.mark.parametrize("text", AWKWARD)
def test_a_constant_is_what_rows_get(either: Database, text: str) -> None:
    evolve(either, Evolution(HEAD, HEAD + f"    added: str = {text!r}\n", ROWS))

    assert values(either, "select added from t") == [text, text]


@pytest.mark.parametrize("text", AWKWARD)
def test_an_answer_is_what_rows_get(either: Database, text: str) -> None:
    evolve(either, Evolution(HEAD, HEAD + "    added: str\n", ROWS, Answers(fill={"t.added": f"'{text}'"})))

    assert values(either, "select added from t") == [text, text]


def test_json_is_what_rows_get(either: Database) -> None:
    data = {"k :v": ["a :b %s", "50%"]}
    evolve(
        either, Evolution(HEAD, HEAD + f"    data: dict[str, Any] = Field(default={data!r}, sa_type=pg.JSONB)\n", ROWS)
    )

    assert values(either, "select data from t") == [data, data]


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("form", ["str", "text"])
def test_a_server_default_is_the_same_afterwards(either: Database, text: str, form: str) -> None:
    given = text if form == "str" else f"sa.text({text_of(text)!r})"
    after = HEAD.replace(
        '"server_default": "x"', f'"server_default": {given!r}' if form == "str" else f'"server_default": {given}'
    )
    made = evolve(either, Evolution(HEAD, after, ROWS))

    assert values(either, "insert into t default values returning name") == [text]
    back = Evolution(after, HEAD, "")
    with opened(either) as connection:
        assert generate(connection, models(after)).is_empty
        other = generate(connection, models(back.after))
        other.run(connection, "upgrade")
        other.run(connection, "downgrade")
    assert values(either, "insert into t default values returning name") == [text], (made.upgrade, other.downgrade)


def text_of(text: str) -> str:
    """Write a literal as SQLAlchemy's `text()` takes it in a model."""
    return (
        "'" + text.replace("\\:", "\\\\:").replace(" :", " \\:").replace("/:", "/\\:").replace("':", "'\\:") + "'"
        if not text.startswith(":")
        else "'\\" + text.replace(" :", " \\:") + "'"
    )


def test_checks_indexes_and_computed_columns_keep_their_text(either: Database) -> None:
    after = (
        HEAD.replace(
            "__table_args__ = ()",
            """__table_args__ = (
        sa.CheckConstraint("name not like 'a\\\\:b %' and name <> '5%'", name="ck"),
        sa.Index("ix", "id", postgresql_where=sa.text("name <> 'c \\\\:d 5%'")),
        sa.Index("ix_e", sa.text("(name || ' \\\\:e %')")),
    )""",
        )
        + """    joined: str | None = Field(default=None, sa_column=sa.Column(sa.Text, sa.Computed("name || ' \\\\:f 7%'", persisted=True)))\n"""
    )

    evolve(either, Evolution(HEAD, after, ROWS))

    assert values(either, "select joined from t") == ["a :f 7%", "b :f 7%"]
    (check,) = values(either, "select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck'")
    assert "'a:b %'" in str(check)
    assert "'5%'" in str(check)
    wheres = values(
        either,
        "select pg_get_indexdef(indexrelid) from pg_index where indexrelid::regclass::text like 'ix%' order by 1",
    )
    assert "'c :d 5%'" in str(wheres)
    assert "' :e %'" in str(wheres)
    back = Evolution(after, HEAD, "")
    with opened(either) as connection:
        away = generate(connection, models(back.after))
        away.run(connection, "upgrade")
        away.run(connection, "downgrade")
    assert values(either, "select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck'") == [check]


MEMBERS = HEAD.replace("class Note", 'class Kind(str, Enum):\n    A = "A"\n    B = "n\'w :q%"\n\n\nclass Note')
KIND = "sa.Enum(Kind, name='kind', values_callable=lambda e: [m.value for m in e])"


def test_a_member_is_a_default(either: Database) -> None:
    line = f'    kind: Kind = Field(default=Kind.B, sa_column=sa.Column({KIND}, nullable=False, server_default="n\'w :q%"))\n'

    evolve(either, Evolution(MEMBERS, MEMBERS + line, ROWS))

    assert values(either, "insert into t default values returning kind::text") == ["n'w :q%"]


def test_a_member_is_added_and_a_constant_at_once(either: Database) -> None:
    one = f"    one: Kind | None = Field(default=None, sa_column=sa.Column({KIND}))\n"
    two = f"    two: Kind = Field(default=Kind.B, sa_column=sa.Column({KIND}, nullable=False, default=Kind.B))\n"
    before, after = MEMBERS.replace('    B = "n\'w :q%"\n', "") + one, MEMBERS + one + two
    with opened(either) as connection:
        begin(either, Evolution(before, "", ROWS))
        made = generate(connection, models(after))
        made.run(connection, "upgrade")
        assert generate(connection, models(after)).is_empty

    assert values(either, "select two::text from t") == ["n'w :q%"] * 2


@pytest.mark.parametrize("name", ["n%x", "a :b", "e%%", "%(f)s", 'q"u', "p:q::r"])
def test_a_column_may_be_called_anything(either: Database, name: str) -> None:
    plain = f"    added: str | None = Field(default=None, sa_column=sa.Column({name!r}, sa.Text))\n"
    strict = f"    added: str = Field(default='v', sa_column=sa.Column({name!r}, sa.Text, nullable=False))\n"
    rows = ROWS

    evolve(either, Evolution(HEAD + plain, HEAD + strict, rows, Answers(fill={f"t.{name}": "'w :x 5%'"})))


@pytest.mark.parametrize("name", ["n%x", "a :b", "p:q::r"])
def test_a_backfilled_column_may_be_called_anything(either: Database, name: str) -> None:
    strict = f"    added: str = Field(sa_column=sa.Column({name!r}, sa.Text, nullable=False))\n"
    begin(either, Evolution(HEAD, "", ROWS))

    with opened(either) as connection:
        made = generate(connection, models(HEAD + strict), Answers(fill={f"t.{name}": "name || ' :x 5%'"}))

    assert "backfill(" in made.upgrade
    assert ":x 5%" in made.upgrade
