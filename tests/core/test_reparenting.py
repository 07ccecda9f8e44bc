"""A revision that is made to follow another one: the id of its parent changes, twice, and no other byte."""

from __future__ import annotations

import pytest

from stillroom.core.reparenting import NotPlainError, follow
from stillroom.core.script_text import read_header

HEADER = '"""add ü\n\nRevision ID: b1\nRevises: {old}\n"""\n'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("revision = 'b1'\ndown_revision = 'a1'\n", "revision = 'b1'\ndown_revision = 'c1'\n"),
        ('revision = "b1"\ndown_revision: str | None = "a1"  # a1\n', 'revision = "b1"\ndown_revision: str | None = "c1"  # a1\n'),
        ("ü = 'ü'; revision = 'b1'; down_revision = 'a1'\n", "ü = 'ü'; revision = 'b1'; down_revision = 'c1'\n"),
        ("revision = 'b1'\r\ndown_revision = 'a1'\r\n", "revision = 'b1'\r\ndown_revision = 'c1'\r\n"),
        ("revision = 'b1'\ndown_revision = None", "revision = 'b1'\ndown_revision = \"c1\""),
        ("\ufeffdown_revision = 'a1'; revision = 'b1'\n", "\ufeffdown_revision = 'c1'; revision = 'b1'\n"),
        (HEADER.format(old="a1") + "revision = 'b1'\ndown_revision = 'a1'\n", HEADER.format(old="c1") + "revision = 'b1'\ndown_revision = 'c1'\n"),
        (HEADER.format(old="") + "revision = 'b1'\ndown_revision = None\n", HEADER.format(old="c1") + "revision = 'b1'\ndown_revision = \"c1\"\n"),
        (HEADER.format(old="a1, a2") + "revision = 'b1'\ndown_revision = 'a1'\n", HEADER.format(old="a1, a2") + "revision = 'b1'\ndown_revision = 'c1'\n"),
    ],
    ids=["plain", "annotated", "in one line, not ASCII", "CRLF", "none, no line end", "BOM", "docstring", "docstring of a base", "docstring says else"],
)  # fmt: skip
def test_only_the_parent_changes(text: str, wanted: str) -> None:
    changed = follow(text.encode(), "c1")

    assert changed == wanted.encode()
    header = read_header(changed, "")
    assert header is not None
    assert (header.id, header.down) == ("b1", ("c1",))


@pytest.mark.parametrize(
    "text",
    [
        "revision = 'b1'\ndown_revision = ('a1', 'a2')\n",
        "revision = 'b1'\ndown_revision = ('a1')\nimport x; x(down_revision)\n",
        "revision = 'b1'\nif True:\n    down_revision = 'a1'\n",
        "revision = 'b1'\ndown_revision = 'a1'\ndown_revision = 'a2'\n",
        "revision = 'b1'\nother = down_revision = 'a1'\nprint(down_revision)\n",
        "revision = 'b1'\ndown_revision = '''a1'''\n",
        "revision = 'b1'\ndown_revision = f'a1'\n",
        "revision = 'b1'\ndown_revision = 'a' '1'\n",
        "revision = 'b1'\ndown_revision = 'a1'\ndef upgrade(:\n",
        "# coding: latin-1\nrevision = 'b1'\nx = 'ü'\ndown_revision = 'a1'\n",
    ],
)
def test_what_is_not_one_plain_string_is_left_alone(text: str) -> None:
    with pytest.raises(NotPlainError):
        follow(text.encode("latin-1" if "latin" in text else "utf-8"), "c1")
