"""What differs between two schemas, in which order it is mended, and with which statements."""

from __future__ import annotations

from typing import Any

import pytest

from stillroom.core.drift import Drift
from stillroom.core.mending import Difference, plan_mending
from stillroom.core.schema_objects import Key, Schema, SchemaObject

COLUMN = {"type": "integer", "collation": None, "not null": False, "identity": "", "generated": "", "default": None}


def make(kind: str, name: str, *, on: Key | None = None, uses: tuple[Key, ...] = (), **facets: Any) -> SchemaObject:
    """Make an object whose statements only name it."""
    words = {"language": "plpgsql", "type": "c", "signature": "", "columns": []}
    return SchemaObject(
        kind, name, "public", facets, words, f"make {name};", f"drop {name};", belongs_to=on, uses=frozenset(uses)
    )


def column(name: str, *, uses: tuple[Key, ...] = (), is_enum: bool = False, **facets: Any) -> SchemaObject:
    """Make a column of table t."""
    found = {**COLUMN, **facets}
    bare = str(found["type"]).partition("(")[0]
    words = {
        "table": "t",
        "column": name,
        "clause": f"{name} clause",
        "is_enum": is_enum,
        "bare type": bare,
        "setval": "setval;",
    }
    return SchemaObject(
        "column", f"t.{name}", "public", found, words, f"make {name};", f"drop {name};", ("table", "t"), frozenset(uses)
    )


def schema(*objects: SchemaObject) -> Schema:
    """Put objects together."""
    return Schema({each.key: each for each in objects}, frozenset({"public"}))


def plan(live: Schema, history: Schema) -> tuple[Difference, ...]:
    """Compare and mend."""
    return plan_mending(Drift(live, history))


def test_equal_schemas_have_no_difference() -> None:
    both = schema(make("table", "t"), column("a"))

    assert plan(both, both) == ()


def test_the_parts_of_a_table_go_with_it() -> None:
    table, part = make("table", "t"), column("a")
    index = make("index", "ix", on=("table", "t"), uses=(part.key,))
    whole, nothing = schema(table, part, index), schema()

    missing, extra = plan(nothing, whole), plan(whole, nothing)

    assert [each.text for each in missing] == ["table t: missing", "index ix: missing"]
    assert [(each.text, each.statement) for each in extra] == [
        ("table t: not from the history", "drop t; -- loses rows")
    ]


def test_a_schema_and_an_extension_of_others_are_no_difference() -> None:
    assert plan(schema(make("schema", "theirs"), make("extension", "theirs")), schema()) == ()


def test_what_is_needed_is_made_first_and_dropped_last() -> None:
    function = make("function", "f")
    table = make("table", "t")
    default = column("a", uses=(function.key,))
    view = make("view", "v", uses=(default.key,))
    outer = make("view", "a_view", uses=(view.key,))
    whole = schema(outer, view, table, default, function)

    made, dropped = plan(schema(), whole), plan(whole, schema())

    assert [each.object for each in made] == ["f", "t", "v", "a_view"]
    assert [each.object for each in dropped] == ["a_view", "v", "t", "f"]


def test_extra_tables_that_hold_each_other_are_let_go_first() -> None:
    tables = [make("table", "a"), make("table", "b")]
    keys = [
        SchemaObject("constraint", name, "public", {}, {"type": "f"}, "", f"drop {name};", ("table", here), frozenset({("table", there)}))
        for name, here, there in (("fk_a", "a", "b"), ("fk_b", "b", "a"))
    ]  # fmt: skip
    parts = [make("constraint", f"pk_{each.name}", on=each.key) for each in tables]
    pointing = [
        SchemaObject(
            each.kind, each.name, "public", {}, each.words, "", each.drop, each.belongs_to, frozenset({part.key})
        )
        for each, part in zip(keys, reversed(parts), strict=True)
    ]

    found = plan(schema(*tables, *parts, *pointing), schema())

    assert [each.object for each in found] == ["fk_a", "fk_b", "a", "b"]


def test_what_hangs_on_a_column_is_dropped_and_made_again_around_its_new_type() -> None:
    before, after = column("a", type="text"), column("a")
    table = make("table", "t")
    view = make("view", "v", uses=(before.key,), definition="select a")
    outer = make("view", "w", uses=(view.key,), definition="select a")
    comment = make("comment", "on w", on=outer.key, text="x")

    found = plan(schema(table, before, view, outer, comment), schema(table, after, view, outer, comment))

    assert [each.statement.splitlines() for each in found] == [
        ["drop w;", "drop v;", "ALTER TABLE t ALTER COLUMN a TYPE integer USING a::integer;", "make v;", "make w;", "make on w;"]
    ]  # fmt: skip


def test_a_view_that_differs_too_is_made_once_as_the_history_has_it() -> None:
    table = make("table", "t")
    view = make("view", "v", uses=(("column", "t.a"), ("column", "t.b")), definition="old")
    history = make("view", "v", uses=(("column", "t.a"), ("column", "t.b")), definition="new")
    live = schema(table, column("a", type="text"), column("b", type="text"), view)

    found = plan(live, schema(table, column("a"), column("b"), history))

    lines = [line for each in found for line in each.statement.splitlines()]
    assert lines == [
        "drop v;",
        "ALTER TABLE t ALTER COLUMN a TYPE integer USING a::integer;",
        "ALTER TABLE t ALTER COLUMN b TYPE integer USING b::integer;",
        "make v;",
    ]


@pytest.mark.parametrize(
    ("before", "after", "actions"),
    [
        ({"not null": True}, {}, "ALTER COLUMN a DROP NOT NULL"),
        ({"default": "1"}, {}, "ALTER COLUMN a DROP DEFAULT"),
        ({}, {"default": "1", "not null": True}, "ALTER COLUMN a SET NOT NULL, ALTER COLUMN a SET DEFAULT 1"),
        ({"identity": "ALWAYS"}, {"identity": "BY DEFAULT"}, "ALTER COLUMN a SET GENERATED BY DEFAULT"),
        ({"identity": "ALWAYS"}, {}, "ALTER COLUMN a DROP IDENTITY"),
        ({"generated": "s", "default": "1"}, {}, "ALTER COLUMN a DROP EXPRESSION"),
        ({}, {"generated": "s", "default": "1"}, "DROP COLUMN a, ADD COLUMN a clause"),
        ({"type": "text", "default": "'1'"}, {"default": "1"},
         "ALTER COLUMN a DROP DEFAULT, ALTER COLUMN a TYPE integer USING a::integer, ALTER COLUMN a SET DEFAULT 1"),
    ],
    ids=["nullable", "no default", "default", "identity kind", "no identity", "no expression", "generated", "type and default"],
)  # fmt: skip
def test_a_column_is_changed_in_one_statement(before: dict[str, Any], after: dict[str, Any], actions: str) -> None:
    table = make("table", "t")

    found = plan(schema(table, column("a", **before)), schema(table, column("a", **after)))

    assert [each.statement.partition(" -- ")[0] for each in found] == [f"ALTER TABLE t {actions};"]


def test_a_shorter_type_is_not_cast_to_its_length_which_would_cut_values() -> None:
    table, before, after = make("table", "t"), column("a", type="varchar(300)"), column("a", type="varchar(10)")

    found = plan(schema(table, before), schema(table, after))

    assert found[0].statement == "ALTER TABLE t ALTER COLUMN a TYPE varchar(10) USING a::varchar;"


def test_one_enum_becomes_another_through_text_and_a_type_without_a_cast_is_said() -> None:
    table = make("table", "t")
    enums = Drift(
        schema(table, column("a", type="mood", is_enum=True)), schema(table, column("a", type="size", is_enum=True))
    )
    dates = Drift(schema(table, column("a")), schema(table, column("a", type="uuid")), frozenset({("integer", "uuid")}))

    assert enums.retypings == frozenset()
    assert "USING a::text::size;" in plan_mending(enums)[0].statement
    assert all(line.startswith("-- ") for line in plan_mending(dates)[0].statement.splitlines())


@pytest.mark.parametrize(
    ("before", "after", "statements"),
    [
        (["'b'"], ["'a'", "'b'", "'c'"], ["ALTER TYPE e ADD VALUE 'a' BEFORE 'b';", "ALTER TYPE e ADD VALUE 'c' AFTER 'b';"]),
        (["'a'", "'d'"], ["'a'", "'b'", "'c'", "'d'"], ["ALTER TYPE e ADD VALUE 'b' AFTER 'a';", "ALTER TYPE e ADD VALUE 'c' AFTER 'b';"]),
        (["'a'", "'b'"], ["'a'"], ["-- no statement removes a value: make e anew, and its columns, once no row holds 'b'"]),
        (["'a'", "'b'"], ["'b'", "'a'"], ["-- no statement moves a value: make e anew, and its columns"]),
    ],
    ids=["around", "between", "one too many", "moved"],
)  # fmt: skip
def test_values_of_an_enum_are_added_one_by_one(before: list[str], after: list[str], statements: list[str]) -> None:
    found = plan(schema(make("enum", "e", labels=before)), schema(make("enum", "e", labels=after)))

    assert [each.statement for each in found] == statements


def test_only_the_schemas_that_the_history_touches_are_kept() -> None:
    theirs = SchemaObject("table", "theirs.x", "theirs", {}, {}, "", "")
    whole = Schema({theirs.key: theirs, ("table", "t"): make("table", "t")}, frozenset({"public", "theirs"}))

    kept = whole.within(frozenset({"public"}))

    assert (set(kept.objects), kept.spaces) == ({("table", "t")}, frozenset({"public"}))
