"""Which rule an older libpq, which knows none, must be held to."""

from __future__ import annotations

import pytest

from stillroom.core.clear_text import permits, rule_of
from stillroom.core.urls import parse_url


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        ("db/shop?sslmode=prefer", "!password"),
        ("127.0.0.1/shop", "!password"),
        ("db/shop?sslmode=require", "!password"),
        ("/shop?host=/run/pg&hostaddr=10.0.0.1", "!password"),
        ("db/shop?require_auth=scram-sha-256", "scram-sha-256"),
        ("/shop?host=/run/pg&require_auth=md5", ""),
        ("/shop?host=/run/pg", ""),
        ("db/shop?sslmode=verify-full", ""),
        ("db/shop?sslmode=require&channel_binding=require", ""),
        ("db/shop?require_auth=password", ""),
    ],
)
def test_only_where_nobody_knows_the_server_a_rule_is_needed(server: str, rule: str) -> None:
    """S29."""
    assert rule_of(parse_url(f"postgresql://u:p@{server}", source="a test")) == rule


@pytest.mark.parametrize(
    ("rule", "allowed", "forbidden"),
    [
        ("!password", {"md5", "scram-sha-256", "none"}, {"password"}),
        ("!password,!md5", {"scram-sha-256", "none"}, {"password", "md5"}),
        ("scram-sha-256, md5", {"scram-sha-256", "md5"}, {"password", "none"}),
        ("", {"password", "none"}, set()),
    ],
)
def test_a_rule_is_read_as_libpq_reads_it(rule: str, allowed: set[str], forbidden: set[str]) -> None:
    """S29."""
    assert all(permits(rule, each) for each in allowed)
    assert not any(permits(rule, each) for each in forbidden)
