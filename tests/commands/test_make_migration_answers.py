"""What only a person knows, said by flags: without them nothing is written, and no value dies."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.commands.revisions import add_model, bring_to_head, columns, drafts, edit_model, execute, files, newest
from tests.commands.support import query
from tests.servers import Finished, Project

OLD, NEW = "    display_name: str", "    shown_name: str"


@pytest.fixture
def at_head(project_on_database: Project) -> Project:
    bring_to_head(project_on_database)
    execute(project_on_database, "insert into users (email, display_name, timezone) values ('a@b', 'Ann', 'UTC')")
    return project_on_database


def apply(project: Project) -> None:
    """Up, down and up again."""
    for command in (("upgrade", "head"), ("downgrade", "-1"), ("upgrade", "head")):
        done = project.alembic(*command)
        assert done.code == 0, done.stderr


def test_a_likely_rename_without_an_answer_is_refused_and_nothing_is_written(at_head: Project) -> None:
    edit_model(at_head, "users", OLD, NEW)
    before = files(at_head)

    done = at_head.invoke("make-migration", "-m", "rename", "--json")

    assert done.code == 3
    answer = json.loads(done.stdout)
    assert "users.display_name goes and shown_name of the same shape comes" in answer["error"]["message"]
    assert "--rename users.display_name:shown_name` or `--allow data-loss" in answer["error"]["hint"]
    assert (files(at_head), drafts(at_head)) == (before, [])


def test_an_answered_rename_keeps_the_values(at_head: Project) -> None:
    edit_model(at_head, "users", OLD, NEW)

    done = at_head.invoke("make-migration", "-m", "rename", "--rename", "users.display_name:shown_name")

    assert done.code == 0, done.stderr
    assert "rename_column users.display_name to shown_name" in done.stdout
    apply(at_head)
    assert query(at_head, "select shown_name from users") == [("Ann",)]


def test_data_loss_is_meant_when_it_is_allowed(at_head: Project) -> None:
    edit_model(at_head, "users", OLD, NEW)

    done = at_head.invoke(
        "make-migration", "-m", "anew", "--allow", "data-loss", "--fill", "users.shown_name=upper(email)"
    )

    assert done.code == 0, done.stderr
    text = newest(at_head).read_text()
    assert "op.drop_column('users', 'display_name')" in text
    assert "backfill('users', 'shown_name = upper(email)', where='shown_name IS NULL')" in text
    apply(at_head)
    assert query(at_head, "select shown_name from users") == [("A@B",)]


def test_a_column_that_needs_a_value_is_named(at_head: Project) -> None:
    edit_model(at_head, "users", OLD, f"    age: int\n{OLD}")
    before = files(at_head)

    done = at_head.invoke("make-migration", "-m", "age")

    assert done.code == 3
    assert "users.age is NOT NULL and has no default" in done.stderr
    assert "`--fill users.age=SQL`" in done.stderr
    assert files(at_head) == before


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--rename", "users.nmae:name"), 3, "--rename users.nmae: nothing in the models and the database fits that"),
        (("--rename", "users.name"), 2, "--rename 'users.name' cannot be read"),
        (("--fill", "age=3"), 2, "--fill 'age=3' cannot be read"),
        (("--fill", "users.age=select 1; drop table t"), 2, "--fill users.age: select begins a statement"),
        (("--fill", "a.b=1", "--fill", "a.b=2"), 2, "--fill is given twice for a.b"),
    ],
)
def test_an_answer_that_fits_nothing_is_told(at_head: Project, flags: tuple[str, ...], code: int, said: str) -> None:
    done = at_head.invoke("make-migration", "-m", "x", *flags)

    assert done.code == code, done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("answer", ["rename=users.display_name:wrong", "fill=users.wrong=1", "replace=mood.wrong:ok"])
def test_plain_alembic_takes_no_answer_that_fits_nothing(at_head: Project, answer: str) -> None:
    edit_model(at_head, "users", OLD, NEW)
    before = files(at_head)
    others = () if answer.startswith("rename") else ("-x", "rename=users.display_name:shown_name")

    done = at_head.alembic("-x", answer, *others, "revision", "--autogenerate", "-m", "rename")

    assert (done.code, files(at_head)) == (255, before), done.stderr
    assert "nothing in the models and the database fits that" in done.stdout + done.stderr or not others
    assert "Traceback" not in done.stderr


ODD = """
from sqlalchemy import Column, Integer, String
from sqlmodel import Field, SQLModel


class Odd(SQLModel, table=True):
    __tablename__ = "odd table"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_column=Column("50%", String, nullable=False))
"""


@pytest.mark.parametrize("task", ["invoke", "alembic"])
def test_the_hint_about_an_odd_name_can_be_typed(at_head: Project, task: str) -> None:
    add_model(at_head, ODD, name="odd")
    assert at_head.invoke("make-migration", "-m", "odd").code == 0
    assert at_head.invoke("migrate").code == 0
    execute(at_head, """insert into "odd table" values (1, 'x')""")
    more = '    size: int = Field(sa_column=Column("a b%", Integer, nullable=False))\n'
    edit_model(at_head, "odd", ODD, ODD.replace('"50%"', '"60 %"') + more)
    said: list[str] = []

    def run() -> Finished:
        if task == "invoke":
            return at_head.invoke("make-migration", "-m", "odder", *said)
        return at_head.alembic(*said, "revision", "--autogenerate", "-m", "odder")

    for expected in ("odd table.50%", "odd table.a b%"):
        refused = run()
        assert refused.code != 0
        assert expected in refused.stderr + refused.stdout
        first = re.findall(r"`(-.*?)`", (refused.stderr + refused.stdout).partition("hint:")[2])[0]
        said += shlex.split(first.replace("=SQL", "=7"))
    done = run()

    assert done.code == 0, done.stderr
    apply(at_head)
    assert query(at_head, 'select "60 %", "a b%" from "odd table"') == [("x", 7)]


def test_plain_alembic_asks_and_is_answered_by_x(at_head: Project) -> None:
    edit_model(at_head, "users", OLD, NEW)
    before = files(at_head)

    refused = at_head.alembic("revision", "--autogenerate", "-m", "rename")
    nothing = files(at_head)
    checked = at_head.alembic("check")
    made = at_head.alembic("-x", "rename=users.display_name:shown_name", "revision", "--autogenerate", "-m", "rename")

    assert (refused.code, nothing) == (255, before)
    assert "`-x rename=users.display_name:shown_name` or `-x allow=data-loss`" in refused.stderr + refused.stdout
    assert "Traceback" not in refused.stderr
    assert checked.code == 255
    assert made.code == 0, made.stderr
    assert "new_column_name='shown_name'" in newest(at_head).read_text()
    apply(at_head)
    assert "shown_name" in columns(at_head, "users")
