"""What is masked, and what stays so that a sentence can still be read."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest

from stillroom.core.redact import Redactor, redactor_for
from stillroom.core.urls import parse_url
from tests.faults.secrets import AWKWARD, MARKER, NAMES, password

SPELLINGS = {
    "raw": str,
    "encoded": lambda text: quote(text, safe=""),
    "encoded in part": quote,
    "encoded as a form": quote_plus,
    "encoded in small letters": lambda text: quote(text, safe="").lower().replace(MARKER.lower(), MARKER),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "repr": lambda text: repr(text)[1:-1],
    "password file": lambda text: text.replace("\\", "\\\\").replace(":", "\\:"),
    "SQL": lambda text: text.replace("'", "''"),
}


@pytest.mark.parametrize("characters", AWKWARD, ids=NAMES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_masked_in_every_spelling(spelling: str, characters: str) -> None:
    """S03, F19."""
    secret = password(characters)

    masked = Redactor((secret,)).mask(f"before {SPELLINGS[spelling](secret)}, after")

    assert masked == "before ***, after"


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("s3cr@et-host", 'could not translate host name "et-host@db"', 'could not translate host name "***@db"'),
        ("s3cr/et?name", "no database et?name", "no database ***"),
        ("left:right:end", 'port "right:end" is no number', 'port "***" is no number'),
        ("left:right:end", "user left, port right", "user left, port ***"),
    ],
    ids=["tail as a host", "tail as a database", "tail as a port", "a word of ours stays"],
)
def test_the_parts_that_a_parser_cuts_off_are_masked(secret: str, text: str, masked: str) -> None:
    """S03: a raw `@` makes the password's tail a part of the host."""
    assert Redactor((secret,)).mask(text) == masked


@pytest.mark.parametrize("secret", ["a", "%", "app", "postgres", "migrate", "shop", "Shop", "db", "5432", "2026"])
def test_a_short_or_common_password_does_not_spoil_the_sentence(secret: str) -> None:
    url = parse_url(f"postgresql://app:{quote(secret, safe='')}@shop:5432/shop", source="x")
    said = "shop on shop:5432 as app: `invoke migrate` of app takes 10% on db 54321 in 2026"

    assert redactor_for(url).mask(said) == said


@pytest.mark.parametrize("secret", ["a", "%", "app", "postgres", "p@ss", "x/y", "geheim"])
def test_by_its_place_any_password_is_masked(secret: str) -> None:
    """S03: also before the settings are known, and whatever it is."""
    said = f"postgresql+psycopg2://app:{secret}@db/shop and host=db password={secret} and PGPASSWORD={secret}"

    expected = "postgresql+psycopg2://app:***@db/shop and host=db password=*** and PGPASSWORD=***"
    assert Redactor().mask(said) == expected


def test_a_short_secret_is_a_whole_word_and_a_telling_one_is_found_inside_of_words() -> None:
    redactor = Redactor(("rose", "rose_2024"))

    assert redactor.mask("rose, roses, prose, xrose_2024x") == "***, roses, prose, x***x"


def test_a_name_that_holds_the_password_is_shown_and_a_password_that_holds_a_name_is_not() -> None:
    redactor = Redactor(("shop_2024", "app-word-17"), frozenset({"shop_2024_test", "app"}))

    assert redactor.mask("shop_2024_test as app: app-word-17 shop_2024") == "shop_2024_test as app: *** ***"


def test_the_examples_of_our_hints_stay() -> None:
    hint = "write it as `postgresql://user:password@host:5432/database`"

    assert Redactor(("secret-17",)).mask(hint) == hint


def test_secrets_among_the_parameters_are_known() -> None:
    url = parse_url("postgresql://app@db/shop?sslpassword=key-word-17", source="x")

    assert redactor_for(url, None).mask("wrong key-word-17") == "wrong ***"
    assert "key-word-17" not in repr(redactor_for(url))
