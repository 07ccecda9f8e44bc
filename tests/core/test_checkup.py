"""What doctor makes of what it was told: severities, names, and the statements to type."""

from __future__ import annotations

import pytest

from stillroom.core.checkup import (
    OpenSchema,
    Role,
    Session,
    judge_invalid_indexes,
    judge_open_schemas,
    judge_role,
    judge_sessions,
)
from stillroom.core.checkup_way import judge_libpq, judge_server, judge_tls, judge_tool, judge_way
from stillroom.core.findings import ORDER, Finding, count, from_error, in_order, shortened
from stillroom.core.urls import parse_url
from stillroom.errors import RefusedError


def finding(number: int, severity: str = "warning") -> Finding:
    return Finding(severity, "a-name", f"number {number}", "type this")  # type: ignore[arg-type]


def test_problems_come_last_and_the_order_within_a_severity_stays() -> None:
    mixed = [finding(1, "problem"), finding(2, "ok"), finding(3, "problem"), finding(4, "info"), finding(5, "warning")]

    assert [each.message[-1] for each in in_order(mixed)] == ["2", "4", "5", "1", "3"]
    assert [count(mixed, severity) for severity in ORDER] == [1, 1, 1, 2]


def test_many_of_one_kind_are_shortened_and_counted() -> None:
    found = shortened((finding(each) for each in range(50)), most=3)

    assert [each.message for each in found] == [
        "number 0", "number 1", "number 2", "47 more like these, the first: number 3",
    ]  # fmt: skip
    assert len(shortened([finding(1), finding(2)], most=2)) == 2


def test_the_lines_of_an_errors_hint_become_one() -> None:
    found = from_error("a-name", RefusedError("it is so", hint="paste:\nfrom a import b\n\nb()"))

    assert (found.severity, found.hint) == ("problem", "paste:; from a import b; b()")


@pytest.mark.parametrize(
    ("url", "uses_tls", "protected", "plain"),
    [
        pytest.param("postgresql:///shop?host=/run/pg", False, "ok", "ok", id="a socket"),
        pytest.param("postgresql://localhost/shop", False, "ok", "ok", id="loopback"),
        pytest.param("postgresql://127.0.0.1,[::1]/shop", False, "ok", "ok", id="loopback twice"),
        pytest.param("postgresql://db/shop", False, "warning", "info", id="a private name without TLS"),
        pytest.param("postgresql://db/shop", True, "warning", "info", id="a private name, unverified"),
        pytest.param(
            "postgresql://db.example.com/shop?sslmode=disable", False, "warning", "warning", id="public without TLS"
        ),
        pytest.param(
            "postgresql://db.example.com/shop?sslmode=require", True, "warning", "info", id="public, unverified"
        ),
        pytest.param("postgresql://db.example.com/shop?sslmode=verify-full", True, "ok", "ok", id="verified"),
        pytest.param(
            "postgresql://localhost/shop?hostaddr=8.8.8.8", False, "warning", "warning", id="an address elsewhere"
        ),
    ],
)
def test_how_sure_we_are_of_the_server(url: str, uses_tls: bool, protected: str, plain: str) -> None:
    """S28."""
    found = [judge_tls(parse_url(url, source="test"), uses_tls=uses_tls, is_protected=each) for each in (True, False)]

    assert [each.severity for each in found] == [protected, plain]
    for each in found:
        assert ("sslmode=verify-full&sslrootcert=" in each.hint) == (each.severity != "ok")


def test_a_pooler_and_a_server_that_only_reads() -> None:
    refused = list(judge_way(is_direct=False, accepts_pooler=False, cannot_write="is a standby"))
    accepted = list(judge_way(is_direct=False, accepts_pooler=True, cannot_write=""))

    assert [(each.severity, each.name) for each in refused] == [("problem", "pooler"), ("problem", "read-only")]
    assert [(each.severity, each.name) for each in accepted] == [("info", "pooler")]
    assert not list(judge_way(is_direct=True, accepts_pooler=False, cannot_write=""))


@pytest.mark.parametrize(
    ("version", "severity", "word"),
    [
        ((18, 6), "ok", "18.6"),
        ((18, 1), "warning", "18.4"),
        ((13, 23), "warning", "no repairs"),
        ((20, 0), "ok", "20.0"),
    ],
    ids=["new", "older minor", "older major", "newer than known"],
)
def test_an_old_server_is_a_warning(version: tuple[int, int], severity: str, word: str) -> None:
    """S25."""
    found = judge_server(version)

    assert (found.severity, word in found.message) == (severity, True)


def test_holes_of_the_programs_are_warnings_with_what_to_install() -> None:
    """S25."""
    both = list(judge_tool((16, 3), "/usr/bin", "postgresql-client-16"))
    none = list(judge_tool((16, 14), "/usr/bin", "postgresql-client-16"))
    ended = list(judge_tool((13, 20), "/usr/bin", "postgresql-client-13"))

    assert [(each.severity, each.message.split(": ")[0].split()[-1]) for each in both] == [
        ("warning", "CVE-2024-7348"),
        ("warning", "CVE-2026-6477"),
    ]
    assert "install 16.14 or later" in both[1].hint
    assert [each.severity for each in none] == ["ok"]
    assert "install a newer major" in ended[0].hint
    assert [judge_libpq(each).severity for each in ((17, 9), (17, 10))] == ["warning", "ok"]


ABLE = Role("app", "shop", False, -1, True, True, "public", True, ())


def test_a_role_with_what_it_needs_is_well() -> None:
    """S38."""
    assert [(each.severity, each.name) for each in judge_role(ABLE, is_protected=True)] == [("ok", "rights")]


def test_a_schema_that_is_not_there_is_a_problem() -> None:
    role = Role("app", "shop", False, -1, True, True, "app", False, ())

    (found,) = judge_role(role, is_protected=False)

    assert (found.severity, found.name, found.hint.split(",")[0]) == (
        "problem",
        "schema-missing",
        "`CREATE SCHEMA app;`",
    )


@pytest.mark.parametrize(
    ("grantee", "strangers", "is_protected", "severity"),
    [
        ("PUBLIC", 0, False, "info"),
        ("PUBLIC", 1, False, "warning"),
        ("PUBLIC", 0, True, "warning"),
        ("guests", 0, False, "warning"),
    ],
    ids=["nobody else", "somebody else", "protected", "a role"],
)
def test_an_open_schema_is_a_warning_where_somebody_could_use_it(
    grantee: str, strangers: int, is_protected: bool, severity: str
) -> None:
    """S26."""
    (found,) = judge_open_schemas((OpenSchema("public", grantee, strangers),), is_protected=is_protected)

    assert (found.severity, f"REVOKE CREATE ON SCHEMA public FROM {grantee};" in found.hint) == (severity, True)


@pytest.mark.parametrize(
    ("name", "is_leftover"),
    [
        ("public.ix", False),
        ("public.ix_ccnew", True),
        ('public."Ix_ccnew12"', True),
        ("public.ix_ccold", True),
        ("public.ix9", False),
    ],
)
def test_what_a_reindex_left_is_only_dropped(name: str, is_leftover: bool) -> None:
    (found,) = judge_invalid_indexes((name,))

    assert ("REINDEX" not in found.hint) == is_leftover
    assert f"`DROP INDEX CONCURRENTLY {name};`" in found.hint


def test_only_transactions_that_are_open_for_long_are_named() -> None:
    """S04: what they ran, without its values."""
    long = Session(7, "app", "", "idle in transaction", 301, "update users set name = 'Ada' where id = 17")
    short = Session(8, "app", "psql", "active", 299, "select 1")

    (found,) = judge_sessions((long, short), longest_s=300)

    assert found.message == (
        "pid 7, app, no application name: idle in transaction in a transaction of 301 s: update users set name = ? where id = ?"
    )
