"""Counting the rows of a dump while it is read back."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from stillroom.core.contents import TableRows
from stillroom.core.copy_rows import RowCounter, find_difference

BEFORE = b"--\n-- Data for Name: users; Type: TABLE DATA\n--\n\n"
BETWEEN = b"\n\nSELECT pg_catalog.setval('public.users_id_seq', 3, true);\n\n"
names = st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), min_size=1, max_size=12)
# As COPY writes them: a backslash and a line break in a value are escaped, so `\.` is never a row.
rows = st.lists(st.sampled_from([b"", b"1\ta", b"\\\\.", b"\\N", b"COPY public.x (a) FROM stdin;", b"\\\\", b"x" * 50]))


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def counted(text: bytes, cuts: list[int]) -> tuple[TableRows, ...]:
    """Feed a text in pieces."""
    counter, places = RowCounter(), sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    for start, end in itertools.pairwise(places):
        counter.feed(text[start:end])
    return counter.rows


@given(st.dictionaries(st.tuples(names, names), rows, max_size=4), st.lists(st.integers(0, 10_000), max_size=30))
def test_rows_are_counted_whatever_the_pieces(tables: dict[tuple[str, str], list[bytes]], cuts: list[int]) -> None:
    text = BEFORE
    for (schema, name), lines in tables.items():
        head = f'COPY {quoted(schema)}.{quoted(name)} (id, "a b") FROM stdin;\n'
        text += head.encode() + b"".join(line + b"\n" for line in lines) + b"\\.\n" + BETWEEN

    found = counted(text, cuts)

    assert found == tuple(TableRows(schema, name, len(lines)) for (schema, name), lines in tables.items())
    assert found == counted(text, list(range(len(text))))


def test_a_table_without_columns_has_rows_and_one_without_an_end_is_left_out() -> None:
    text = BEFORE + b"COPY public.none  FROM stdin;\n\n\n\\.\n\nCOPY public.users (id) FROM stdin;\n1\n2\n3"

    assert counted(text, []) == (TableRows("public", "none", 2),)


def test_a_difference_is_named() -> None:
    users, none = TableRows("public", "users", 3), TableRows("public", "none", 0)

    assert find_difference((none, users), (users, none)) == ""
    assert find_difference((users,), (users, none)) == "public.none is not in it or has no end"
    assert find_difference((users, none), (users,)) == "public.none is in it, and not in the database"
    assert (
        find_difference((none,), (TableRows("public", "none", 2),))
        == "public.none has 0 rows in it, and 2 in the database"
    )
