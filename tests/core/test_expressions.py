"""What a value may be: one expression, because it is put into a statement as it is."""

from __future__ import annotations

import pytest

from stillroom.core.expressions import find_flaw

ONE = [
    "0",
    "-1.5e3",
    "'it''s; -- no (comment'",
    "E'a\\'; b'",
    "$x$a; b$x$",
    "now() - interval '1 day'",
    "coalesce(lower(email), 'a,b')",
    "(select max(id) from other where a > 1)",
    "array[1, 2]",
    "extract(year from created_at)",
    "a is distinct from b",
    "case when a then 'x' else 'y' end",
    '"from"',
    "'{}'::jsonb",
    "DEFAULT",
]
MORE = {
    "select 1; drop table t": "select begins a statement",
    "1; drop table t": "a semicolon",
    "1 -- and": "a comment",
    "1 /* and */": "a comment",
    "(1": "a bracket in it is opened and not closed",
    "1)": "a bracket in it is closed and was not opened",
    "(1]": "a bracket in it is closed and was not opened",
    "'abc": "a quote in it has no end",
    '"abc': "a quote in it has no end",
    "$x$abc": "a quote in it has no end",
    "1, other = 2": "a comma",
    "1 WHERE id = 2": "WHERE in it",
    "x from other": "from in it",
}


@pytest.mark.parametrize("text", ONE)
def test_one_expression_has_no_flaw(text: str) -> None:
    assert find_flaw(text) == ""


@pytest.mark.parametrize("text", MORE)
def test_what_is_more_than_an_expression_is_said(text: str) -> None:
    assert MORE[text] in find_flaw(text)
    assert "a value is one expression" in find_flaw(text)
