"""How a database is told to a libpq program without a secret among its arguments."""

from __future__ import annotations

import pytest

from stillroom.core.libpq_environment import passfile_line, place_parameters, service_text
from stillroom.core.secrets import Secret
from stillroom.core.urls import parse_url


def test_parameters_become_variables_and_the_password_none_of_them() -> None:
    url = parse_url("postgresql://me:geheim@db:5433/shop?sslmode=require&connect_timeout=3", source="test")

    variables, others = place_parameters(url)

    assert variables["PGHOST"] == "db"
    assert variables["PGPORT"] == "5433"
    assert variables["PGUSER"] == "me"
    assert variables["PGDATABASE"] == "shop"
    assert variables["PGSSLMODE"] == "require"
    assert variables["PGCONNECT_TIMEOUT"] == "3"
    assert "geheim" not in str(variables) + str(others)


def test_what_has_no_variable_is_left_for_the_service_file() -> None:
    url = parse_url("postgresql://me@db/shop?keepalives_idle=5", source="test")

    _, others = place_parameters(url)

    assert others == {"keepalives_idle": "5"}
    assert service_text("stillroom", others) == "[stillroom]\nkeepalives_idle=5\n"


def test_a_search_path_is_escaped_as_options_need_it() -> None:
    url = parse_url("postgresql://me@db/shop?schema=a%20b", source="test")

    variables, _ = place_parameters(url)

    assert variables["PGOPTIONS"].startswith("-csearch_path=")
    assert "a\\ b" in variables["PGOPTIONS"]


@pytest.mark.parametrize(
    ("password", "line"),
    [("plain", "plain"), ("a:b", "a\\:b"), ("a\\b", "a\\\\b"), ("#x", "#x")],
    ids=["plain", "a colon", "a backslash", "a hash"],
)
def test_a_password_files_line_escapes_what_would_end_the_field(password: str, line: str) -> None:
    assert passfile_line(Secret(password)) == f"*:*:*:*:{line}\n"
