"""What a generated revision holds: plain types, names, enum types, and nothing that is not the project's."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.commands.revisions import add_model, bring_to_head, columns, edit_model, execute, files, newest, use_only
from tests.servers import Project

EVERY_TYPE = """
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

from sqlmodel import Field, SQLModel


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Everything(SQLModel, table=True):
    __tablename__ = "everything"

    id: int | None = Field(default=None, primary_key=True)
    a: str
    b: str = Field(max_length=20)
    c: float
    d: bool
    e: Decimal = Field(max_digits=9, decimal_places=2)
    f: datetime
    g: date
    h: time
    i: timedelta
    j: UUID
    k: bytes
    l: Size
    m: Path
    n: str | None = Field(default=None, index=True)
"""
# No naming convention, so that no constraint has a name.
PLAIN = """
from sqlmodel import Field, SQLModel


class Team(SQLModel, table=True):
    __tablename__ = "teams"
    id: int | None = Field(default=None, primary_key=True)


class Person(SQLModel, table=True):
    __tablename__ = "people"
    id: int | None = Field(default=None, primary_key=True)
    email: str
"""
COLOUR = """
from enum import StrEnum

from sqlalchemy import Enum
from sqlmodel import Field, SQLModel


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Pen(SQLModel, table=True):
    __tablename__ = "pens"
    id: int | None = Field(default=None, primary_key=True)
    colour: Colour = Field(sa_type=Enum(Colour, name="colour", values_callable=lambda e: [m.value for m in e]))
"""
IMPORTS_WITHOUT_SQLMODEL = """
import importlib.util, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sqlmodel", "pydantic", "models", "stillroom"}:
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
spec = importlib.util.spec_from_file_location("revision", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


@pytest.fixture
def at_head(project_on_database: Project) -> Project:
    bring_to_head(project_on_database)
    return project_on_database


def _make_and_migrate(project: Project, message: str = "change") -> str:
    for command in (("make-migration", "-m", message), ("migrate",)):
        done = project.invoke(*command)
        assert done.code == 0, done.stderr
    assert "no revision was made" in project.invoke("make-migration").stdout
    return newest(project).read_text()


def _down_and_up(project: Project) -> None:
    for command in (("downgrade", "-1"), ("upgrade", "head")):
        done = project.alembic(*command)
        assert done.code == 0, done.stderr


def test_every_field_type_is_plain_and_the_file_imports_without_sqlmodel(at_head: Project) -> None:
    add_model(at_head, EVERY_TYPE, name="everything")

    text = _make_and_migrate(at_head)

    assert "sqlmodel" not in text
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS_WITHOUT_SQLMODEL, str(newest(at_head))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for expected in (
        "sa.String(length=20)",
        "sa.Numeric(precision=9, scale=2)",
        "sa.Interval()",
        "sa.Uuid()",
        "sa.LargeBinary()",
    ):
        assert expected in text
    _down_and_up(at_head)


def test_a_decorated_type_of_the_project_is_plain_and_the_file_imports_without_the_project(at_head: Project) -> None:
    (at_head.path / "src" / "models" / "shouting.py").write_text(
        "from sqlalchemy import String\nfrom sqlalchemy.types import TypeDecorator\n\n\n"
        "class Shout(TypeDecorator):\n    impl = String\n    cache_ok = True\n"
    )
    edit_model(
        at_head,
        "users",
        "    timezone: str",
        "    cry: str | None = Field(default=None, sa_type=Shout)\n    timezone: str",
    )
    edit_model(at_head, "users", "from models.base", "from models.shouting import Shout\nfrom models.base")

    text = _make_and_migrate(at_head)

    assert "sa.Column('cry', sa.String()" in text
    assert "models" not in text


def test_a_constraint_without_a_name_gets_postgresqls(project_on_database: Project) -> None:
    project = project_on_database
    project.environment["APP_ENV"] = "development"
    use_only(project, PLAIN)
    _make_and_migrate(project, "Initial schema")
    package = project.path / "src" / "models" / "__init__.py"
    team = '    team_id: int | None = Field(default=None, foreign_key="teams.id")\n'
    package.write_text(PLAIN.replace("    email: str\n", f"    email: str = Field(unique=True)\n{team}"))

    text = _make_and_migrate(project, "second")

    assert "drop_constraint('people_email_key', 'people'" in text
    assert "drop_constraint('people_team_id_fkey', 'people'" in text
    assert "None, 'people'" not in text
    _down_and_up(project)


def test_an_enum_type_is_made_before_its_table_and_dropped_after_it(at_head: Project) -> None:
    add_model(at_head, COLOUR, name="pens")

    text = _make_and_migrate(at_head)

    upgrade, downgrade = text.split("def downgrade")
    assert upgrade.index("name='colour').create(") < upgrade.index("op.create_table('pens'")
    assert downgrade.index("op.drop_table('pens')") < downgrade.index("name='colour').drop(")
    _down_and_up(at_head)


def test_a_new_enum_column_of_an_old_table_gets_its_type(at_head: Project) -> None:
    add_model(
        at_head,
        COLOUR.replace("__tablename__", "ink: str\n    __tablename__").replace(
            "    colour: Colour", "    was: str | None = None\n    other: Colour"
        ),
        name="pens",
    )
    _make_and_migrate(at_head, "first")
    edit_model(
        at_head,
        "pens",
        "    was: str",
        '    size: Colour | None = Field(default=None, sa_type=Enum(Colour, name="size"))\n    was: str',
    )

    text = _make_and_migrate(at_head, "second")

    assert "postgresql.ENUM('RED', 'BLUE', name='size').create(" in text
    assert "name='colour').create(" not in text
    _down_and_up(at_head)


def test_a_second_table_does_not_make_the_type_again(at_head: Project) -> None:
    add_model(at_head, COLOUR, name="pens")
    _make_and_migrate(at_head, "pens")
    second = "\n\nclass Ink(SQLModel, table=True):\n    __tablename__ = 'inks'\n    id: int | None = Field(default=None, primary_key=True)\n"
    column = "    colour: Colour = Field(sa_type=Enum(Colour, name='colour', values_callable=lambda e: [m.value for m in e]))\n"
    edit_model(at_head, "pens", COLOUR, COLOUR + second + column)

    text = _make_and_migrate(at_head, "inks")

    assert ".create(op.get_bind()" not in text
    assert ".drop(op.get_bind()" not in text
    _down_and_up(at_head)


def test_a_member_that_the_type_keeps_does_not_keep_a_rollback_back(at_head: Project) -> None:
    add_model(at_head, COLOUR, name="pens")
    _make_and_migrate(at_head, "pens")
    execute(at_head, "create view seen as select colour from pens")
    edit_model(at_head, "pens", 'BLUE = "blue"', 'BLUE = "blue"\n    PINK = "pink"')

    text = _make_and_migrate(at_head, "pink")
    back = at_head.invoke("rollback", "--yes")
    again = at_head.invoke("migrate")

    assert "# type colour keeps pink: it cannot be made anew below rule _RETURN on view seen" in text
    assert back.code == 0, back.stderr
    assert again.code == 0, again.stderr


def test_dangers_are_allowed_behind_one_flag_or_each_behind_its_own(at_head: Project) -> None:
    execute(at_head, "create table other_log (at timestamptz, what jsonb)")
    add_model(at_head)

    together = at_head.invoke("make-migration", "-m", "a", "--allow", "data-loss,drop-table")
    newest(at_head).unlink()
    apart = at_head.invoke("make-migration", "-m", "b", "--allow", "data-loss", "--allow", "drop-table")

    assert (together.code, apart.code) == (0, 0), together.stderr + apart.stderr


def test_what_is_not_the_projects_is_left_alone(at_head: Project) -> None:
    execute(at_head, "create table days (day date, n int) partition by range (day)")
    execute(at_head, "create table days_1 partition of days for values from ('2026-01-01') to ('2027-01-01')")
    execute(at_head, "create table theirs (id int); create extension hstore; alter extension hstore add table theirs")
    execute(at_head, "create table stillroom.more (id int)")
    add_model(at_head)

    done = at_head.invoke("make-migration", "-m", "notes", "--allow", "drop-table")

    text = newest(at_head).read_text()
    assert done.code == 0, done.stderr
    assert "op.drop_table('days')" in text
    assert "days_1" not in text
    assert "theirs" not in text
    assert "alembic_version" not in text
    assert "'more'" not in text


def test_the_whole_example_is_generated_anew_from_its_models(project_on_database: Project) -> None:
    for each in files(project_on_database):
        each.unlink()
    project_on_database.environment["APP_ENV"] = "development"

    _make_and_migrate(project_on_database, "Initial schema")
    down = project_on_database.alembic("downgrade", "base")
    empty = columns(project_on_database, "users")
    up = project_on_database.invoke("migrate")

    assert (down.code, up.code, empty) == (0, 0, []), down.stderr + up.stderr


def test_the_two_lines_of_plain_alembic_make_and_apply_a_first_schema(project_on_database: Project) -> None:
    for each in files(project_on_database):
        each.unlink()

    made = project_on_database.alembic("revision", "--autogenerate", "-m", "Initial schema")
    up = project_on_database.alembic("upgrade", "head")
    down = project_on_database.alembic("downgrade", "base")
    again = project_on_database.alembic("upgrade", "head")

    assert [each.code for each in (made, up, down, again)] == [0, 0, 0, 0], (
        made.stderr + up.stderr + down.stderr + again.stderr
    )
    assert "timezone" in columns(project_on_database, "users")
