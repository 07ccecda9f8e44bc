"""The names of backups and of the databases beside a live one, and which tables a pattern means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillroom.core.backup_names import NAME, backup_name, beside, match_tables, require_database_name
from stillroom.errors import RefusedError, SettingsError

AT = datetime(2026, 1, 13, 14, 2, 11, tzinfo=UTC)
TABLES = [("public", "messages"), ("public", "log_a"), ("audit", "log_b"), ("public", "odd.name")]


@pytest.mark.parametrize(
    ("database", "revisions", "name"),
    [
        pytest.param("shop", ("abc",), "shop-20260113T140211Z-abc", id="one revision"),
        pytest.param("shop", ("abc", "def"), "shop-20260113T140211Z-abc+def", id="several heads"),
        pytest.param("shop", (), "shop-20260113T140211Z-base", id="no revision"),
        pytest.param("../../etc", ("a/b",), "______etc-20260113T140211Z-a_b", id="a path"),
        pytest.param("sh op\n\0é", ("x",), "sh_op___-20260113T140211Z-x", id="characters of all kinds"),
        pytest.param("---", ("x",), "_-20260113T140211Z-x", id="nothing left"),
    ],
)
def test_a_backup_is_named_after_database_time_and_revision(
    database: str, revisions: tuple[str, ...], name: str
) -> None:
    assert backup_name(database, AT, revisions) == name
    assert NAME.fullmatch(name)


def test_a_name_fits_into_a_file_system() -> None:
    name = backup_name("d" * 63, AT, tuple(f"{number:012x}" for number in range(50)))

    assert len(name) < 230


def test_a_database_beside_another_has_a_name_that_postgresql_keeps_whole() -> None:
    assert beside("shop", "restore", "ab12") == "shop_restore_ab12"
    assert len(beside("é" * 40, "before", "0123456789ab").encode()) <= 63
    assert beside("d" * 63, "before", "0123456789ab").endswith("_before_0123456789ab")


@pytest.mark.parametrize(
    "name", ["", "a=b", "postgres://x/y", "-x", " x", "x ", "a\nb", "a\0b", "d" * 64, "postgres", "template1"]
)
def test_what_is_no_name_of_a_new_database_is_refused(name: str) -> None:
    """S12, S13."""
    with pytest.raises(SettingsError):
        require_database_name(name)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        pytest.param(["messages"], [("public", "messages")], id="a name"),
        pytest.param(["log_*"], [("audit", "log_b"), ("public", "log_a")], id="in every schema"),
        pytest.param(["public.log_*"], [("public", "log_a")], id="in one schema"),
        pytest.param(["audit.*", "messages"], [("audit", "log_b"), ("public", "messages")], id="two patterns"),
        pytest.param([], [], id="none"),
    ],
)
def test_patterns_name_tables(patterns: list[str], found: list[tuple[str, str]]) -> None:
    assert match_tables(TABLES, patterns) == tuple(found)


@pytest.mark.parametrize("pattern", ["mesages", "Messages", "m[a-z]ssages", "audit.messages"])
def test_a_pattern_that_means_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(RefusedError, match="no table matches"):
        match_tables(TABLES, [pattern])
