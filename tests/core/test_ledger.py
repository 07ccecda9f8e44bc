"""The hashes of scripts and statements, the chain, and what an edit is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stillroom.core.history import Revision, make_history
from stillroom.core.ledger.entries import Entry, Facts, Row, chain_of, entry_from, values_of
from stillroom.core.ledger.records import Found, Record, find_descent, find_edits, is_ahead
from stillroom.core.ledger.runs import find_changed, find_place, runs_of
from stillroom.core.ledger.scripts import hash_tree
from stillroom.core.ledger.statements import Sent

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
FACTS = Facts("r1", "migrate", "ada", "laptop", "0.1.0", "2.0", "abc", is_dirty=True)
SCRIPT = '''"""add it"""
from alembic import op

revision = "b"
down_revision = "a"
TABLE = "users"


def upgrade() -> None:
    """Go."""
    op.drop_column(TABLE, "x", 1.0, None, f"{TABLE}", b"y", ("z",))


def downgrade() -> None:
    pass
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""add it"""', '"""another"""'),
        ("def upgrade() -> None:", "def upgrade():  # a comment"),
        ('    """Go."""\n', ""),
        ('op.drop_column(TABLE, "x"', "op.drop_column(\n        TABLE,\n        'x'"),
        ('TABLE = "users"', "TABLE: str = 'users'"),
        ("from alembic import op", "from alembic import op\nimport sys"),
        ('down_revision = "a"', 'down_revision: str | None = "c"'),
        ("\n", "\r\n"),
    ],
    ids=["docstring", "comment", "docstring of a function", "layout", "annotation", "import", "graph", "line ends"],
)
def test_what_does_not_run_is_no_edit(old: str, new: str) -> None:
    """F02."""
    assert hash_tree(SCRIPT.replace(old, new).encode()) == hash_tree(SCRIPT.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"x"', '"y"'),
        ('"x"', 'b"x"'),
        ("None,", "False,"),
        ("1.0", "1"),
        ('TABLE = "users"', 'TABLE = "user"'),
        ("    pass", "    op.f()"),
        ("def downgrade", "def helper"),
        ('{TABLE}"', '{TABLE!r}"'),
        ('("z",)', '["z"]'),
    ],
    ids=["string", "bytes", "none", "number", "constant", "the way back", "name", "format", "tuple"],
)
def test_what_runs_is_an_edit(old: str, new: str) -> None:
    """F01."""
    assert hash_tree(SCRIPT.replace(old, new).encode()) != hash_tree(SCRIPT.encode())


def test_the_tree_hash_is_the_same_under_every_python() -> None:
    """The ledger keeps it for years: this value may never change."""
    assert hash_tree(SCRIPT.encode()) == "8a3917fcaf6fe409425f364b4b9cc2aafb75e177db23d6325310fc37f94a82f7"


def rows(*entries: Entry) -> list[Row]:
    found: list[Row] = []
    for number, entry in enumerate(entries, 1):
        previous = found[-1].chain if found else ""
        found.append(Row(number, entry, "app", previous, chain_of(entry, "app", previous)))
    return found


def entry(kind: str = "run", outcome: str = "done", **more: object) -> Entry:
    return Entry(kind, outcome, FACTS, NOW, NOW, 0.25, **more)  # type: ignore[arg-type]


def test_a_row_survives_the_way_to_the_database_and_back() -> None:
    one = entry("step", "applied", revision="b", parents=("a",), reason="it's \u00e9")

    assert entry_from(values_of(one)) == one


def test_a_changed_row_a_missing_one_and_a_swapped_one_are_found() -> None:
    """S34."""
    good = rows(*(entry(revision=str(number)) for number in range(5)))
    forged = [replace(each, entry=replace(each.entry, reason="no")) if each.id == 3 else each for each in good]

    assert find_changed(good) == ()
    assert find_changed(forged) == (3,)
    assert find_changed(good[:2] + good[3:]) == (4,)
    assert find_changed([good[1], good[0], *good[2:]]) == (2, 1, 3)


def test_a_run_without_an_end_was_cut_short_and_says_nothing_of_the_place() -> None:
    begun = rows(entry(after=("a",)), entry("run", "started"), entry("step", "applied", revision="b"))

    assert runs_of(begun[1:])[0].outcome == "cut short"
    assert find_place(begun) is None
    assert find_place(begun[:1]) == ("a",)


HISTORY = make_history([Revision("a", path="a.py"), Revision("b", ("a",), path="b.py")])


def record(revision: str, *parents: str, script: str = "s", tree: str = "t") -> Record:
    return Record(revision, parents, script, tree, "", NOW, "ada on laptop")


def test_an_edit_a_move_and_a_change_of_layout_are_told_apart() -> None:
    records = {"a": record("a"), "b": record("b", "a")}

    edited = find_edits(records, HISTORY, ["b"], {"a": Found("x", "t"), "b": Found("x", "u")})
    moved = find_edits({"b": record("b")}, HISTORY, ["b"], {"b": Found("s")})

    assert [(each.revision, each.kind) for each in edited] == [("a", "layout"), ("b", "edited")]
    assert [(each.kind, each.detail) for each in moved] == [("moved", "a")]
    assert find_edits(records, HISTORY, ["a"], {"a": Found("s"), "b": Found("x")}) == ()


def test_the_ledger_knows_the_way_back_from_a_newer_checkout() -> None:
    records = {"d": record("d", "c"), "c": record("c", "b"), "side": record("side", "a"), "lost": record("lost")}

    assert is_ahead(records, HISTORY, ["d"])
    assert find_descent(records, HISTORY, ["d"]) == {"a", "b"}
    assert not is_ahead(records, HISTORY, ["side"])
    assert not is_ahead(records, HISTORY, ["lost"])
    assert not is_ahead(records, HISTORY, ["nobody"])
    assert not is_ahead(records, HISTORY, ["b"])


def test_statements_have_one_hash_whether_they_are_sent_or_rendered() -> None:
    sent, rendered = Sent(), Sent()
    for each in (
        "\nCREATE TABLE a (\n\tid INTEGER\n)\n\n",
        "SELECT pg_catalog.pg_type.typname FROM x",
        "ALTER TABLE a ADD b TEXT",
    ):
        sent.add(each)
    rendered.add("CREATE TABLE a (\n    id INTEGER\n);\n\n-- a comment\nALTER TABLE a ADD b TEXT;")

    assert sent.sha256 == rendered.sha256 != ""
    assert Sent().sha256 == ""
