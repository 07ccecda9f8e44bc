"""A message stays text, whatever was typed."""

from __future__ import annotations

import ast
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stillroom.core.messages import LONGEST, clean_message, docstring_text, file_name, slug
from stillroom.core.revision_text import put_message

TOKEN = "stillroom-message-abc123def456"
PAGE = f'"""{TOKEN}\n\nRevision ID: abc123def456\n"""\n# {TOKEN}\nrevision: str = "abc123def456"\n'
AWKWARD = st.text(alphabet=st.sampled_from("ab\"'\\\n\r\t\0#${}%` ;\u2028\u202e\ud800é"), max_size=40)


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("add users.timezone", "add users.timezone"),
        ("  two   blanks ", "two blanks"),
        ("one\nline\r\n", "one line"),
        ("bell\x07 and escape\x1b[31m", "bell and escape [31m"),
        ("right\u202eto left", "right to left"),
        ("half a pair \ud800", "half a pair"),
        ("x" * 300, "x" * LONGEST),
        ("\n", ""),
    ],
)
def test_a_message_is_one_printable_line(typed: str, cleaned: str) -> None:
    """S08, S32."""
    assert clean_message(typed) == cleaned


@settings(max_examples=1000)
@given(st.text(max_size=300) | AWKWARD)
def test_a_message_can_only_be_text_in_the_file(typed: str) -> None:
    """S08."""
    message = clean_message(typed)

    written = put_message(PAGE, TOKEN, message)

    tree = ast.parse(written)
    assert len(tree.body) == 2
    assert (ast.get_docstring(tree, clean=False) or "").split("\n")[0] == message


@settings(max_examples=500)
@given(AWKWARD)
def test_a_template_with_other_quotes_is_safe_too(typed: str) -> None:
    """S08."""
    message = clean_message(typed)

    written = put_message(PAGE.replace('"""', "'''"), TOKEN, message)

    assert (ast.get_docstring(ast.parse(written), clean=False) or "").split("\n")[0] == message


def test_text_that_left_the_docstring_elsewhere_stays_inside() -> None:
    """S08."""
    typed = 'a"""\nimport os;os.system("touch x")\n"""'

    assert ast.parse(f'"""{docstring_text(typed)}"""').body[0].value.value == clean_message(typed)  # type: ignore[attr-defined]


def test_a_template_that_puts_the_message_into_code_is_turned_down() -> None:
    """S08."""
    with pytest.raises(ValueError, match="string"):
        put_message(f"x = {TOKEN.replace('-', '_')}\n", TOKEN.replace("-", "_"), "print(1)")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Add column xyz to users", "add_column_xyz_to_users"),
        ("../../../evil", "evil"),
        ("$(touch x); -f", "touch_x_f"),
        ("one two three four five six seven eight nine", "one_two_three_four_five_six_seven_eight"),
        ("!!!", ""),
    ],
)
def test_a_slug_holds_words_only(message: str, expected: str) -> None:
    assert slug(message) == expected


def test_a_file_name_is_filled_as_the_ini_has_it() -> None:
    template = "%(year)d%(month).2d%(day).2d_%(hour).2d%(minute).2d_%(rev)s_%(slug)s"
    at = datetime(2026, 1, 13, 14, 30, tzinfo=UTC)

    named = file_name(template, revision="abc123def456", slug="add_user_timezone", created_at=at)

    assert named == "20260113_1430_abc123def456_add_user_timezone.py"
    assert file_name(template, revision="abc123def456", slug="", created_at=at) == "20260113_1430_abc123def456.py"


def test_a_template_that_names_something_unknown_is_said() -> None:
    with pytest.raises(ValueError, match="file_template"):
        file_name("%(nope)s", revision="a", slug="b", created_at=datetime(2026, 1, 1, tzinfo=UTC))
