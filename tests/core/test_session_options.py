"""Settings in the address of a session."""

from __future__ import annotations

import pytest

from stillroom.core.session_options import fits_session, with_session
from stillroom.core.urls import parse_url

ADDRESS = "postgresql://me@localhost/shop"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", r"-c app.x=a\ b"),
        ("a\\b", r"-c app.x=a\\b"),
        ("a\nb", "-c app.x=a\\\nb"),
        ("", "-c app.x="),
        ("-c app.y=1", r"-c app.x=-c\ app.y=1"),
    ],
)
def test_a_value_stays_one_word(value: str, written: str) -> None:
    url = parse_url(ADDRESS, source="DATABASE_URL")

    assert dict(with_session(url, [("app.x", value)]).options)["options"] == written


def test_the_addresss_own_options_stay() -> None:
    url = parse_url(f"{ADDRESS}?options=-c%20geqo%3Doff&sslmode=require", source="DATABASE_URL")

    found = dict(with_session(url, [("a", "1"), ("b", "2")]).options)

    assert found == {"options": "-c geqo=off -c a=1 -c b=2", "sslmode": "require"}
    assert with_session(url, []) is url


def test_a_name_that_the_server_would_read_otherwise_does_not_fit() -> None:
    assert fits_session("app.tenant")
    assert not fits_session("app.my-tenant")
