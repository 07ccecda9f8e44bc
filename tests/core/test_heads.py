"""Where chains part, what they both touch, and the way from an unknown revision down to known ones."""

from __future__ import annotations

import pytest

from stillroom.core.heads import Chain, Fork, Link, find_chain, find_parting, find_start
from stillroom.core.history import Revision, make_history
from stillroom.core.operations import Operation
from stillroom.core.overlaps import find_overlaps
from stillroom.core.strangers import find_way_down

BASE = [Revision("r1"), Revision("r2", ("r1",))]


@pytest.mark.parametrize(
    ("more", "parting", "chains"),
    [
        ([("a1", "r2"), ("a2", "a1"), ("b1", "r2")], ("r2",), {"a2": ("a1", "a2"), "b1": ("b1",)}),
        ([("a1", "r2"), ("b1", "r1"), ("c1", "a1"), ("c2", "a1")], ("r1",), {"b1": ("b1",), "c1": ("c1",), "c2": ("c2",)}),
        ([("x1", "")], (), {"r2": ("r1", "r2"), "x1": ("x1",)}),
        ([("a1", "r2"), ("a2", "r2"), ("m", "a1 a2"), ("b1", "r2")], ("r2",), {"m": ("a1", "a2", "m"), "b1": ("b1",)}),
    ],
    ids=["a fork", "three heads", "nothing in common", "a merge within one side"],
)  # fmt: skip
def test_a_chain_is_what_leads_to_one_head_only(
    more: list[tuple[str, str]], parting: tuple[str, ...], chains: dict[str, tuple[str, ...]]
) -> None:
    history = make_history([*BASE, *(Revision(id_, tuple(down.split()), path=id_) for id_, down in more)])

    assert find_parting(history) == parting
    assert {head: find_chain(history, head) for head in history.heads} == chains


def test_where_a_chain_begins() -> None:
    history = make_history([*BASE, Revision("a1", ("r2",)), Revision("a2", ("r1",)), Revision("m", ("a1", "a2"))])

    assert find_start(history, ("a1", "a2", "m")) == ("a1", "a2")


def test_a_long_chain_is_shown_without_its_middle_and_no_name_breaks_a_line() -> None:
    links = tuple(Link(f"a{each}", "x\n  error: y", "2026", "E\nve", "p.py") for each in range(30))

    lines = Fork(("r1",), (Chain("a29", ("pay\nments",), links),)).lines

    assert len(lines) == 12
    assert lines[0] == "a29 (branch pay ments):"
    assert lines[6] == "  … 20 more …"
    assert all("\n" not in each for each in lines)


def test_overlaps_name_the_columns_that_are_the_same() -> None:
    def add(column: str, table: str = "users", schema: str | None = None) -> Operation:
        return Operation("add_column", table, schema, column, f"add_column {table}.{column}")

    operations = {
        "a": (add("x"), add("y", "tasks")),
        "b": (add("x"),),
        "c": (add("z", "tasks"), add("x", "users", "other"), Operation("execute", text="SQL")),
    }

    assert find_overlaps([("a",), ("b",), ("c",)], operations) == (
        "both sides touch column users.x: a add_column users.x; b add_column users.x",
        "both sides touch table tasks: a add_column tasks.y; c add_column tasks.z",
        "c runs SQL by hand: what that touches was not compared",
    )


@pytest.mark.parametrize(
    ("unknown", "files", "targets"),
    [
        ([("u1", "r2"), ("u2", "u1")], ("u2", "u1"), ("r2",)),
        ([("u2", "")], ("u2",), ("base",)),
        ([("u2", "gone")], ("u2",), ()),
        ([("u1", "r1"), ("u2", "u1 r2")], ("u2", "u1"), ("r1",)),
        ([("u2", "u1"), ("u1", "u2")], ("u2", "u1"), ("base",)),
    ],
    ids=["two above head", "another base", "one is missing", "above two of a line", "a ring"],
)
def test_the_way_down_ends_at_what_this_checkout_has(
    unknown: list[tuple[str, str]], files: tuple[str, ...], targets: tuple[str, ...]
) -> None:
    found = {id_: Revision(id_, tuple(down.split()), path=id_) for id_, down in unknown}

    assert find_way_down(make_history(BASE), found, "u2") == (files, targets)
