"""Enum types with all that may hang on them: checks of two types, arrays with defaults, foreign keys, partitions, views."""

from __future__ import annotations

import pytest

from stillroom.core.generation import Answers
from tests.edges.completing.evolving import Evolution, begin, evolve, execute, generate, models, opened
from tests.servers import Database

HEAD = """
from enum import Enum
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field


class Status(str, Enum):
    OPEN = "open"
    DONE = "done"
    ARCHIVED = "archived"


class Kind(str, Enum):
    NEW = "new"
    ARCHIVED = "archived"


def values(kind):
    return [each.value for each in kind]


STATUS = sa.Enum(Status, name="status", values_callable=values)
KIND = sa.Enum(Kind, name="kind", values_callable=values)
"""
WITHOUT = HEAD.replace('    DONE = "done"\n    ARCHIVED = "archived"\n', '    DONE = "done"\n')
MORE = HEAD.replace('    DONE = "done"\n', '    DONE = "done"\n    LATE = "late"\n')
BOTH = WITHOUT.replace('    ARCHIVED = "archived"\n', "")
TABLE = """

class Task(SQLModel, table=True):
    __tablename__ = "t"
    __table_args__ = (ARGS)
    id: int | None = Field(default=None, primary_key=True)
    note: str = "x"
    status: Status = Field(default=Status.OPEN, sa_column=sa.Column(STATUS, nullable=False, server_default="open"))
    kind: Kind | None = Field(default=None, sa_column=sa.Column(KIND))
"""
CHECKED = TABLE.replace(
    "ARGS",
    """
        sa.CheckConstraint("status <> 'archived' or note = 'archived' or kind = 'archived'", name="ck"),
        sa.Index("ix", "id", postgresql_where=sa.text("status = 'archived' and note <> 'archived' and kind <> 'archived'")),
    """,
)
CHECKED_ANEW = CHECKED.replace("status <> 'archived'", "status <> 'done'").replace(
    "status = 'archived'", "status = 'done'"
)
ROWS = "insert into t (note, status, kind) values ('archived', 'archived', 'archived'), ('x', 'open', null)"
REPLACED = Answers(replace={"status.archived": "done"})


def definitions(database: Database) -> str:
    """The check and the index as the server has them."""
    query = "select pg_get_constraintdef(oid) from pg_constraint where conname = 'ck' union all select pg_get_indexdef('ix'::regclass)"
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = "; ".join(row[0] for row in cursor.fetchall())
    connection.close()
    return found


def test_only_the_members_of_the_type_are_worded_anew(either: Database) -> None:
    evolve(
        either,
        Evolution(
            HEAD + CHECKED,
            WITHOUT
            + CHECKED.replace("status <> 'archived'", "status <> 'done'").replace(
                "status = 'archived'", "status = 'done'"
            ),
            ROWS,
            REPLACED,
        ),
    )

    said = definitions(either)
    assert "status <> 'done'::status" in said
    assert "note)::text = 'archived'::text" in said
    assert "kind = 'archived'::kind" in said
    assert "status = 'done'::status" in said
    assert "kind <> 'archived'::kind" in said


def test_a_check_that_names_two_types_which_both_lose_a_member(either: Database) -> None:
    answers = Answers(replace={"status.archived": "done", "kind.archived": "new"})

    evolve(either, Evolution(HEAD + CHECKED, BOTH + CHECKED, ROWS, answers))

    assert "status <> 'done'::status" in definitions(either)
    assert "kind = 'new'::kind" in definitions(either)


def test_a_check_that_names_two_types_one_renamed_and_one_grown(either: Database) -> None:
    after = MORE.replace('    NEW = "new"\n    ARCHIVED = "archived"\n', '    NEW = "new"\n    PAST = "past"\n')

    evolve(either, Evolution(HEAD + CHECKED, after + CHECKED, ROWS, Answers(rename={"kind.archived": "past"})))

    assert "status <> 'archived'::status" in definitions(either)
    assert "kind = 'past'::kind" in definitions(either)


HIST = (
    TABLE.replace("ARGS", "")
    + """    hist: list[Status] = Field(default=[], sa_column=sa.Column(pg.ARRAY(STATUS), nullable=False, server_default="{archived,open}"))
"""
)


@pytest.mark.parametrize(
    ("head", "members", "answers"),
    [
        (WITHOUT, "{done,open}", REPLACED),
        (MORE, "{archived,open}", Answers()),
        (
            HEAD.replace('ARCHIVED = "archived"\n\n\nclass Kind', 'PAST = "past"\n    MORE = "more"\n\n\nclass Kind'),
            "{past,open}",
            Answers(rename={"status.archived": "past"}),
        ),
    ],
    ids=["taken", "added", "renamed, and one added"],
)
def test_a_default_of_an_array(either: Database, head: str, members: str, answers: Answers) -> None:
    after = head + HIST.replace("{archived,open}", members)

    evolve(either, Evolution(HEAD + HIST, after, ROWS, answers))


def test_a_member_leaves_the_default_of_an_array_where_nothing_takes_its_place(either: Database) -> None:
    loose = HIST.replace('nullable=False, server_default="open"', 'server_default="open"')
    after = WITHOUT + loose.replace("{archived,open}", "{open}")

    evolve(either, Evolution(HEAD + loose, after, ROWS, Answers(may_lose=True)))


@pytest.mark.parametrize(
    ("table", "why"),
    [
        (TABLE.replace("ARGS", ""), "t.status is NOT NULL"),
        (CHECKED.replace("nullable=False, ", ""), "ck names it|ix names it"),
    ],
)
def test_null_where_it_cannot_be_is_asked_about(either: Database, table: str, why: str) -> None:
    begin(either, Evolution(HEAD + table, "", ROWS))

    with opened(either) as connection:
        (asked,) = generate(connection, models(WITHOUT + table), Answers(may_lose=True)).findings.questions

    assert any(each in asked.text for each in why.split("|"))
    assert asked.flags == ("--replace status.archived:open", "--replace status.archived:done")


KEYED = """

class State(SQLModel, table=True):
    __tablename__ = "states"
    status: Status = Field(sa_column=sa.Column(STATUS, primary_key=True))


class Task(SQLModel, table=True):
    __tablename__ = "t"
    id: int | None = Field(default=None, primary_key=True)
    status: Status = Field(sa_column=sa.Column(STATUS, sa.ForeignKey("states.status", ondelete="CASCADE"), nullable=False))
"""
KEYS = "insert into states values ('open'), ('archived'); insert into t (status) values ('open'), ('archived')"


@pytest.mark.parametrize(("head", "answers"), [(MORE, Answers()), (WITHOUT, REPLACED)], ids=["added", "taken"])
def test_a_foreign_key_between_two_columns_of_the_type(either: Database, head: str, answers: Answers) -> None:
    evolve(either, Evolution(HEAD + KEYED, head + KEYED, KEYS, answers))


OPEN = "sa.Computed(\"status = 'open'\", persisted=True)"
PARTITIONED = """

class Task(SQLModel, table=True):
    __tablename__ = "t"
    __table_args__ = {"postgresql_partition_by": "LIST (status)"}
    id: int = Field(primary_key=True)
    status: Status = Field(default=Status.OPEN, sa_column=sa.Column(STATUS, primary_key=True, server_default="open"))
    kind: Kind | None = Field(default=None, sa_column=sa.Column(KIND))
"""
HELD = {
    "a view": (TABLE.replace("ARGS", ""), "create view v as select status from t", "view v"),
    "a generated column": (
        TABLE.replace("ARGS", "") + f"    is_open: bool | None = Field(default=None, sa_column=sa.Column(sa.Boolean, {OPEN}))\n",
        "",
        "column is_open of table t",
    ),
    "a partition key": (
        PARTITIONED,
        "create table t_open partition of t for values in ('open'); create table t_rest partition of t default",
        "the partition key of t",
    ),
    "a domain and a function": (
        TABLE.replace("ARGS", ""),
        "create domain d as status; create function f(status) returns int language sql as 'select 1'",
        "type d",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_the_way_back_leaves_a_member_where_the_type_cannot_be_made_anew(either: Database, name: str) -> None:
    table, more, named = HELD[name]
    rows = ROWS if name != "a partition key" else ""
    begin(either, Evolution(HEAD + table, "", rows))
    execute(either, more)

    with opened(either) as connection:
        made = generate(connection, models(MORE + table))
        for direction in ("upgrade", "downgrade", "upgrade"):
            made.run(connection, direction)
        assert generate(connection, models(MORE + table)).is_empty
        refused = generate(
            connection,
            models(BOTH + table),
            Answers(replace={"status.late": "open", "status.archived": "done", "kind.archived": "new"}),
        )

    assert named in made.downgrade
    assert "the way back leaves its new members in the type" in made.findings.notes[0]
    assert any(
        "it cannot be made anew below" in each.text and named in each.text for each in refused.findings.questions
    )
