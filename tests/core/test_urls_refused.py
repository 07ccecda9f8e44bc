"""Texts that are no URL or could be read in two ways: refused, and no part of them is shown."""

from __future__ import annotations

import traceback

import pytest

from stillroom.core.urls import parse_url
from stillroom.errors import SettingsError

REFUSED = {
    "empty": "",
    "blank": "  ",
    "blank at the end": "postgresql://app:geheim1x@db/shop ",
    "blank at the start": " postgresql://app:geheim1x@db/shop",
    "line break at the end": "postgresql://app:geheim1x@db/shop\n",
    "line break": "postgresql://app:geheim1x@db/shop\nx",
    "NUL": "postgresql://app:geheim1x@db/sh\0op",
    "encoded NUL": "postgresql://app:geheim1x%00@db/shop",
    "encoded line break": "postgresql://app:geheim1x%0A@db/shop",
    "not UTF-8": "postgresql://app:geheim1x%FF@db/shop",
    "@ in the password": "postgresql://app:geheim1x@geheim2x@db/shop",
    "/ in the password": "postgresql://app:geheim1x/geheim2x@db/shop",
    "/ in the password, as if it were a port": "postgresql://app:1234/geheim2x@db/shop",
    "# in the password": "postgresql://app:geheim1x#geheim2x@db/shop",
    "? in the password": "postgresql://app:geheim1x?geheim2x@db/shop",
    "? in the password, as if it were a parameter": "postgresql://app:geheim1x?a=geheim2x@db/shop",
    "@ and / in the password": "postgresql://app:geheim1x@geheim2x/geheim3x@db/shop",
    "@ and ? in the password": "postgresql://app:geheim1x@geheim2x?geheim3x@db/shop",
    "bad % in the password": "postgresql://app:geheim1x%zzgeheim2x@db/shop",
    "% at the end of the password": "postgresql://app:geheim1x%@db/shop",
    "blank in the password": "postgresql://app:geheim1x geheim2x@db/shop",
    "a variable": "postgresql://app:${geheim1x}@db/shop",
    "a command": "postgresql://app:$(geheim1x)@db/shop",
    "no @ at all": "postgresql://app:geheim1x/shop",
    "port too large": "postgresql://app:geheim1x@db:70000/shop",
    "no name": "postgresql://app:geheim1x@db",
    "blank name": "postgresql://app:geheim1x@db/",
    "two slashes": "postgresql://app:geheim1x@db/shop/",
    "conninfo in the name": "postgresql://app:geheim1x@db/host%3Devil",
    "conninfo in the name, bare": "postgresql://app:geheim1x@db/host=evil",
    "a URL in the name": "postgresql://app:geheim1x@db/postgresql:%2F%2Fevil",
    "a name like an option": "postgresql://app:geheim1x@db/-f",
    "another database": "mysql://app:geheim1x@db/shop",
    "another driver": "postgresql+geheim1x://app@db/shop",
    "keywords": "host=db password=geheim1x dbname=shop",
    "no scheme": "app:geheim1x@db/shop",
    "in quotes": '"postgresql://app:geheim1x@db/shop"',
    "IPv6 without brackets": "postgresql://app:geheim1x@::1/shop",
    "a broken bracket": "postgresql://app:geheim1x@[::1/shop",
    "an odd host": "postgresql://app:geheim1x@d%20b/shop",
    "a blank host among several": "postgresql://app:geheim1x@a,,b/shop",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_and_nothing_after_the_user_name_is_shown(text: str) -> None:
    """F18, F20, S03, S13."""
    with pytest.raises(SettingsError) as caught:
        parse_url(text, source="DATABASE_URL in .env line 3")

    seen = "".join(traceback.format_exception(caught.value)).split("stillroom.errors.")[-1] + caught.value.hint
    assert caught.value.message.startswith("DATABASE_URL in .env line 3: ")
    assert caught.value.__cause__ is None
    assert not any(part in seen for part in ("geheim1x", "geheim2x", "geheim3x", "evil"))


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("postgresql://u:p@q@h/d", 17),
        ("postgresql://u:p/q@h/d", 17),
        ("postgresql://u:p?q@h/d", 17),
        ("postgresql://u:p#q@h/d", 17),
        ("postgresql://u:p%q@h/d", 17),
        ("postgresql://u:p@h/d?application_name=a@b", 40),
    ],
)
def test_the_position_of_the_character_to_encode_is_named(text: str, position: int) -> None:
    """F20."""
    with pytest.raises(SettingsError, match=f"character {position} must be percent-encoded") as caught:
        parse_url(text, source="X")

    assert "%40" in caught.value.hint


def test_a_blank_value_gets_the_line_to_write() -> None:
    with pytest.raises(SettingsError) as caught:
        parse_url("", source="DATABASE_URL in the environment")

    assert "`DATABASE_URL=postgresql://user:password@host:5432/database`" in caught.value.hint


@pytest.mark.parametrize("password", ["a:b", "a+b", "a&b=c", "a[b]", "$HOME", "a'b", 'a"b', "a\\b", "grün"])
def test_an_unencoded_password_that_has_one_reading_is_taken(password: str) -> None:
    """F20."""
    url = parse_url(f"postgresql://app:{password}@db/shop", source="X")

    assert url.libpq()["password"] == password
