"""What a reviewer sees, and what a revision is called."""

from __future__ import annotations

import pytest

from stillroom.core.constraint_names import ConstraintNames
from stillroom.core.operations import Operation
from stillroom.core.proposals import propose_message
from stillroom.core.review import NOT_COMPARED, RED, Sheet, drops_only_tables, sheet_text, worst_first

CREATE, INDEX = Operation("create_table", "notes"), Operation("create_index", "notes", text="create_index ix on notes")
ADD = Operation("add_column", "users", column="timezone", text="add_column users.timezone")
DROP = Operation("drop_column", "users", column="zone", text="drop_column users.zone")
GONE = Operation("drop_table", "notes", text="drop_table notes")
UNIQUE = Operation("create_unique_constraint", "users")


@pytest.mark.parametrize(
    ("operations", "is_first", "proposed"),
    [
        ([ADD], False, "add users.timezone"),
        ([CREATE, INDEX], False, "create notes"),
        ([CREATE, INDEX], True, "initial schema"),
        ([CREATE, ADD], True, "create notes, add users.timezone"),
        ([ADD, UNIQUE], False, "add users.timezone"),
        ([UNIQUE], False, "unique in users"),
        (
            [Operation("add_column", "t", column=each) for each in "abcde"],
            False,
            "add t.a, add t.b, add t.c and 2 more",
        ),
        ([], False, "empty revision"),
    ],
)
def test_a_name_is_proposed_from_the_operations(operations: list[Operation], *, is_first: bool, proposed: str) -> None:
    assert propose_message(operations, is_first=is_first) == proposed


def test_what_destroys_comes_first_and_is_marked() -> None:
    sheet = Sheet("a.py", "m", (ADD, DROP), "ALTER TABLE up;", "ALTER TABLE down;")

    text = sheet_text(sheet)

    assert worst_first((ADD, DROP)) == (DROP, ADD)
    assert text.index("  ! drop_column users.zone") < text.index("    add_column users.timezone")
    assert text.index("ALTER TABLE up;") < text.index("ALTER TABLE down;")
    assert RED not in text
    assert RED in sheet_text(sheet, has_colour=True)


def test_every_kind_that_is_not_compared_is_named() -> None:
    text = sheet_text(Sheet("a.py", "m", (ADD,), "", ""))

    assert all(each in text for each in NOT_COMPARED)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([GONE], True),
        ([Operation("drop_index", "notes"), GONE], True),
        ([GONE, ADD], False),
        ([DROP], False),
        ([], False),
    ],
)
def test_a_diff_that_only_drops_tables_is_recognised(operations: list[Operation], *, expected: bool) -> None:
    assert drops_only_tables(operations) is expected


def test_constraints_get_the_names_postgresql_would_give() -> None:
    names = ConstraintNames()

    assert names.make("users", ["email"], "key") == "users_email_key"
    assert names.make("users", ["email"], "key") == "users_email_key1"
    assert names.make("tasks", ["user_id"], "fkey") == "tasks_user_id_fkey"
    assert len(names.make("t" * 60, ["c" * 60], "fkey").encode()) == 63


def test_a_name_that_is_taken_in_the_schema_gets_a_number_until_it_is_free() -> None:
    names = ConstraintNames([(None, "users_email_key")])

    assert names.make("users", ["email"], "key") == "users_email_key1"
    assert names.make("users", ["email"], "key", schema="other") == "users_email_key"
    names.free("users_email_key")
    assert names.make("users", ["email"], "key") == "users_email_key"
