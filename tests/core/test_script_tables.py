"""Which tables a revision file makes, told from its text."""

from __future__ import annotations

import pytest

from stillroom.core.created_tables import Table
from stillroom.core.script_tables import find_tables_in_script


@pytest.mark.parametrize(
    ("body", "always", "strictly"),
    [
        ("op.create_table('a')", [(None, "a")], [(None, "a")]),
        ("op.create_table(table_name='a', schema='s')", [("s", "a")], [("s", "a")]),
        ("if x:\n        op.create_table('a')", [], [(None, "a")]),
        ("if x:\n        return\n    op.create_table('a')", [], [(None, "a")]),
        ("if x:\n        y()\n    op.create_table('a')", [(None, "a")], [(None, "a")]),
        ("x or op.create_table('a')", [], [(None, "a")]),
        ("op.create_table('a', if_not_exists=True)", [], [(None, "a")]),
        ("op.execute('create table if not exists \"S\".A ()')", [], [("S", "a")]),
        ("op.execute('create temp table a ()')", [], []),
        ("'create table a ()'", [], []),
        ("op.create_table(name)", [], []),
    ],
)
def test_tables_are_found_in_what_runs_forward(body: str, always: list[Table], strictly: list[Table]) -> None:
    text = f"def upgrade():\n    {body}\n\n\ndef downgrade():\n    op.create_table('old')\n".encode()

    assert list(find_tables_in_script(text, is_strict=False)) == always
    assert list(find_tables_in_script(text, is_strict=True)) == strictly


def test_deep_nesting_is_read_without_recursion() -> None:
    text = f"def upgrade():\n    op.create_table('a', {'+'.join(['x'] * 900)})\n".encode()

    assert find_tables_in_script(text, is_strict=False) == ((None, "a"),)
