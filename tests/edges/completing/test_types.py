"""Types of a project's own: a revision holds what PostgreSQL makes of them, and needs nothing of the project."""

from __future__ import annotations

import pytest

from tests.edges.completing.evolving import Evolution, begin, evolve, generate, models, opened
from tests.servers import Database

HEAD = """
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.types import TypeDecorator, UserDefinedType
from sqlmodel import Field


class Shout(TypeDecorator):
    impl = sa.String
    cache_ok = True


class Secret(TypeDecorator):
    impl = sa.LargeBinary
    cache_ok = True


class Json(TypeDecorator):
    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect):
        return dialect.type_descriptor(pg.JSONB() if dialect.name == "postgresql" else sa.JSON())


class Twice(TypeDecorator):
    impl = Shout
    cache_ok = True


class Money(sa.Numeric):
    pass


class Tree(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **kw):
        return "LTREE"


class Thing(SQLModel, table=True):
    __tablename__ = "things"
    id: int | None = Field(default=None, primary_key=True)
    #
"""


@pytest.mark.filterwarnings("ignore:Did not recognize type")
@pytest.mark.parametrize(
    ("kind", "rendered"),
    [
        ("Shout(20)", "sa.String(length=20)"),
        ("Secret", "sa.LargeBinary()"),
        ("Json", "postgresql.JSONB("),
        ("Twice", "sa.String()"),
        ("Money(9, 2)", "sa.Numeric(precision=9, scale=2)"),
        ("pg.ARRAY(Shout(5))", "postgresql.ARRAY(sa.String(length=5))"),
        ("Tree", "Tree()"),
        ("sa.Enum('a', 'b', name='ab', native_enum=False)", "native_enum=False"),
        ("sa.JSON().with_variant(pg.JSONB(), 'postgresql')", "with_variant(postgresql.JSONB("),
        ("pg.INTERVAL(precision=3)", "postgresql.INTERVAL(precision=3)"),
        ("sa.Double()", "sa.Double()"),
    ],
)
def test_a_type_is_written_as_what_it_is_to_the_server(either: Database, kind: str, rendered: str) -> None:
    line = f"    x: object = Field(default=None, sa_column=sa.Column({kind}))\n"

    made = evolve(
        either,
        Evolution(
            HEAD, HEAD.replace("    #\n", line), "insert into things default values", setup="create extension ltree"
        ),
    )

    assert rendered in made.upgrade
    assert "models" not in " ".join(made.imports)


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_a_column_of_an_unknown_type_comes_back_when_it_was_dropped(either: Database) -> None:
    before = HEAD.replace("    #\n", "    x: object = Field(default=None, sa_column=sa.Column(Tree, index=True))\n")

    made = evolve(
        either, Evolution(before, HEAD, "insert into things (x) values ('a.b')", setup="create extension ltree")
    )

    assert "sa.Column('x', Ltree()" in made.downgrade


@pytest.mark.filterwarnings("ignore:Did not recognize type")
def test_the_extension_that_a_type_comes_with_is_made_where_it_is_missing(either: Database) -> None:
    after = HEAD.replace("    #\n", "    x: object = Field(default=None, sa_column=sa.Column(Tree))\n")
    begin(either, Evolution(HEAD, after))

    with opened(either) as connection:
        made = generate(connection, models(after))
        made.run(connection, "upgrade")
        again = generate(connection, models(after))

    assert made.upgrade.index("CREATE EXTENSION IF NOT EXISTS ltree") < made.upgrade.index("op.add_column")
    assert again.is_empty
    assert any("the type ltree comes with an extension" in each for each in made.findings.notes)
