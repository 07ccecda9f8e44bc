"""What a terminal would obey is shown."""

from __future__ import annotations

import pytest

from stillroom.core.printable import visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain äöü ✓ 密碼", "plain äöü ✓ 密碼"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("one\ntwo\rthree\tfour", "one\\ntwo\\rthree\\tfour"),
        ("\x00\x07\x9b", "\\x00\\x07\\x9b"),
        ("abc\u202edcba", "abc\\u202edcba"),
        ("half \udce4", "half \\udce4"),
    ],
    ids=["plain", "ESC", "line breaks", "C0 and C1", "direction", "half a character"],
)
def test_a_control_character_is_shown_as_an_escape(text: str, shown: str) -> None:
    """S32."""
    assert visible(text) == shown


def test_what_is_kept_is_named() -> None:
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb\\r"


def test_no_line_of_a_log_passes_for_one_of_ours() -> None:
    assert visible_lines("its log says:\n  FATAL\nhint:  rm -rf /") == "its log says:\n  FATAL\\nhint:  rm -rf /"
