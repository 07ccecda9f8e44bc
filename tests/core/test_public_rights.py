"""Who may create in a schema, by what was granted on it."""

from __future__ import annotations

import pytest

from stillroom.core.public_rights import may_create_by

GRANTS = '"a b"=CREATE,USAGE PUBLIC=USAGE app=USAGE "x maker=CREATE"=USAGE owner=CREATE*,USAGE*'


@pytest.mark.parametrize(
    ("quoted", "may"),
    [
        ('"a b"', True),
        ("PUBLIC", False),
        ("app", False),
        ("maker", False),
        ("owner", True),
        ("nobody", False),
        ("b", False),
    ],
)
def test_a_role_is_found_by_its_whole_name(quoted: str, may: bool) -> None:
    assert may_create_by(GRANTS, quoted) is may
