"""The parameters of a URL: kept, translated, dropped, refused."""

from __future__ import annotations

import pytest

from stillroom.core.urls import DatabaseUrl, parse_url
from stillroom.core.urls_query import LIBPQ
from stillroom.errors import SettingsError


def parse(query: str) -> DatabaseUrl:
    return parse_url(f"postgresql://app:geheim@db/shop?{query}", source="DATABASE_URL in the environment")


@pytest.mark.parametrize("name", sorted(LIBPQ - {"sslmode", "connect_timeout"}))
def test_every_libpq_parameter_survives(name: str) -> None:
    url = parse(f"{name}=a%20b+c")

    assert url.options == ((name, "a b+c"),)
    assert url.notes == ()


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("ssl=true", "require"),
        ("ssl=require", "require"),
        ("ssl=1", "require"),
        ("ssl=false", "disable"),
        ("ssl=verify-full", "verify-full"),
        ("ssl=no-verify", "require"),
        ("sslmode=no-verify", "require"),
    ],
)
def test_foreign_spellings_of_sslmode_are_translated_and_said(query: str, mode: str) -> None:
    url = parse(query)

    assert url.options == (("sslmode", mode),)
    assert url.notes == (f"`{query.partition('=')[0]}=` became sslmode={mode}",)


def test_sslmode_itself_needs_no_word() -> None:
    assert parse("sslmode=require").notes == ()


@pytest.mark.parametrize(
    ("query", "path"), [("schema=app", "app"), ("currentSchema=App", '"App"'), ("schema=a-b", '"a-b"')]
)
def test_the_schema_becomes_the_search_path_and_is_said(query: str, path: str) -> None:
    url = parse(query)

    assert url.search_path == path
    assert url.options == ()
    assert path in url.notes[0]


@pytest.mark.parametrize("name", ["pgbouncer", "connection_limit", "pool_timeout", "serverVersion", "charset"])
def test_foreign_parameters_are_dropped_by_name_and_without_their_value(name: str) -> None:
    url = parse(f"{name}=geheim2")

    assert url.options == ()
    assert url.notes[0].startswith(f"`{name}=` was dropped")
    assert "geheim" not in "".join(url.notes)


def test_user_password_and_name_may_be_parameters() -> None:
    url = parse_url("postgresql://db?user=app&password=geheim&dbname=shop&port=5433", source="X")

    assert url.shown == "shop on db:5433 as app"
    assert url.libpq()["password"] == "geheim"


def test_a_blank_parameter_is_libpqs_default() -> None:
    assert parse("sslmode=&application_name=").options == ()


@pytest.mark.parametrize(
    "query",
    [
        "sslmode=geheim",
        "connect_timeout=geheim",
        "sslmode=require&ssl=false",
        "application_name=geheim&application_name=b",
        "user=other",
        "password=geheim2",
        "dbname=other",
        "host=other",
        "port=geheim",
        "port=1,2",
        "geheim",
        "=geheim",
        "a.b%20c=geheim",
    ],
)
def test_a_parameter_that_cannot_be_understood_is_refused_without_its_value(query: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(query)

    assert "geheim" not in f"{caught.value!r} {caught.value.hint}"
    assert caught.value.message.startswith("DATABASE_URL in the environment: ")
