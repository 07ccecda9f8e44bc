"""What a revision file says about itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillroom.core.history import Revision
from stillroom.core.script_parsing import HeaderError
from stillroom.core.script_text import _read_parsed, _read_plain, read_header

HEAD = '"""add notes\n\nRevision ID: b2\n"""\nfrom alembic import op\n'


@pytest.mark.parametrize(
    ("body", "revision"),
    [
        ("revision = 'b2'\ndown_revision = 'a1'\n", Revision("b2", ("a1",), message="add notes", path="p")),
        ('revision: str = "b2"\ndown_revision: str | None = None\n', Revision("b2", message="add notes", path="p")),
        (
            "revision = 'b2'\ndown_revision = ('a1', 'a2')\n",
            Revision("b2", ("a1", "a2"), message="add notes", path="p"),
        ),
        (
            "revision = 'b2' # x\ndown_revision = None\ndepends_on = 'c3'\n",
            Revision("b2", (), ("c3",), message="add notes", path="p"),
        ),
        (
            "revision = 'b2'\ndown_revision = None\nbranch_labels = ['x']\n",
            Revision("b2", (), (), ("x",), "add notes", "p"),
        ),
        ("down_revision = None\nif True:\n    x = 1\nrevision = 'b2'\n", Revision("b2", message="add notes", path="p")),
    ],
    ids=["plain", "annotated", "merge", "depends on", "label", "other code between"],
)
def test_a_header_is_read(body: str, revision: Revision) -> None:
    text = HEAD + body + "\n\ndef upgrade():\n    this is not python, and is never looked at\n"

    assert read_header(text.encode(), "p") == revision


@pytest.mark.parametrize(
    "body", ["revision = make()\n", "revision = PREFIX + 'b2'\ndown_revision = None\n"], ids=["call", "sum"]
)
def test_an_id_that_is_no_literal_is_left_to_alembic(body: str) -> None:
    assert read_header((HEAD + body).encode(), "p") is None


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"revision = 'a\n", "line 1"),
        (
            b'"""x"""\nfrom os import path\n<<<<<<< HEAD\nrevision = "a"\n',
            "line 3, column 1: a mark of a merge conflict",
        ),
        (b"# nothing\n", "no `revision`"),
        (b"revision = 'a'\nx = '\xff'\n", "line 2, column 6: it is not UTF-8"),
        (b"revision = 'a'\n\x00\n", "line 2, column 1: a NUL byte"),
        (b"", "no `revision`"),
        (b"revision = 'a'\ndown_revision = 3\n", "3 is no revision id"),
    ],
    ids=["open quote", "merge marks", "no id", "not UTF-8", "NUL", "empty file", "number as parent"],
)
def test_a_broken_header_names_the_place(data: bytes, place: str) -> None:
    with pytest.raises(HeaderError, match=place):
        read_header(data, "p")


def test_text_in_the_docstring_that_looks_like_an_id_is_not_one() -> None:
    text = '"""note\n\nrevision = \'evil\'\n"""\nrevision = "good"\ndown_revision = None\n'

    found = read_header(text.encode(), "p")

    assert found is not None
    assert found.id == "good"


LINES = st.lists(
    st.sampled_from(
        [
            "revision = 'b2'", 'revision: str = "b2"', "revision = 'x' 'y'", "revision = f()", "down_revision = None", "down_revision='a1'",
            "down_revision = ('a1', 'a2')", "down_revision = (", "    'a1',", ")", '"""', "x = '''", "'''", "# revision = 'c'", "import sys",
            "depends_on = 'c3' # why", "branch_labels = None", "if sys:", "    revision = 'in a block'", "revision = 'b2'; y = 1", "",
        ]
    ),
    max_size=9,
)  # fmt: skip


@given(LINES)
def test_the_quick_reading_agrees_with_the_parser_wherever_it_answers(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    quick = _read_plain(text, "p")
    if quick is None:
        return

    try:
        parsed = _read_parsed(text, "p")
    except HeaderError:
        return

    assert quick == parsed
