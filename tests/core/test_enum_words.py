"""Members in definitions: those of one type, and no others."""

from __future__ import annotations

import pytest

from stillroom.core.enum_words import respell, reword

CHANGES = {"archived": "done", "it's": 'q"u', "gone": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "status <> 'archived'::status OR note::text = 'archived'::text OR kind = 'archived'::kind",
            "status <> 'done'::status OR note::text = 'archived'::text OR kind = 'archived'::kind",
        ),
        ("'archived'::status_of", "'archived'::status_of"),
        ("'archived'::status.other", "'archived'::status.other"),
        ("'it''s'::status", "'q\"u'::status"),
        ("ANY (ARRAY['open'::status, 'archived'::status])", "ANY (ARRAY['open'::status, 'done'::status])"),
        ("'{archived,open}'::status[]", "'{done,open}'::status[]"),
        ("'{\"it''s\",gone}'::status[]", '\'{"q\\"u"}\'::status[]'),
        ("note = 'x''archived''::status'::text", "note = 'x''archived''::status'::text"),
        ("\"a'b\" = 'archived'::status", "\"a'b\" = 'done'::status"),
        ("'{}'::status[]", "'{}'::status[]"),
    ],
)
def test_only_members_of_the_type_are_worded_anew(text: str, expected: str) -> None:
    assert reword(text, "status", CHANGES) == expected


def test_a_name_is_the_whole_name() -> None:
    assert reword("'a'::sales.\"My Type\"", 'sales."My Type"', {"a": "b"}) == "'b'::sales.\"My Type\""
    assert reword("'a'::sales.mood", "mood", {"a": "b"}) == "'a'::sales.mood"


def test_a_type_is_called_otherwise() -> None:
    text = "(x = 'a'::mood) AND (y = 'mood'::text) AND z = '::mood'::text AND w = '{a}'::mood[]"

    assert respell(text, "mood", "feeling") == text.replace("'a'::mood", "'a'::feeling").replace(
        "'{a}'::mood", "'{a}'::feeling"
    )
