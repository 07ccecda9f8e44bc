"""Which pg_dump fits which server, and what it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillroom.core.pg_tools import (
    DumpOrder,
    Need,
    Tools,
    choose_jobs,
    choose_tools,
    dump_arguments,
    ignores_errors,
)
from stillroom.errors import ToolError


def tools(version: str, folder: str = "", *, has_tls: bool = True) -> Tools:
    return Tools(Path(folder or f"/pg/{version}"), version, "system", has_tls)


@pytest.mark.parametrize(
    ("there", "need", "chosen"),
    [
        pytest.param(["18.6", "15.18", "16.2"], Need(15, uses_tls=False), "15.18", id="the server's own major wins"),
        pytest.param(["18.6", "16.2", "17.1"], Need(15, uses_tls=False), "16.2", id="else the lowest not older"),
        pytest.param(["18.6", "17.1", "13.9"], Need(15, uses_tls=False), "17.1", id="17 where there is no 16"),
        pytest.param(["15.2", "15.18"], Need(15, uses_tls=False), "15.2", id="the first found among equals"),
        pytest.param(["", "18.6"], Need(18, uses_tls=False), "18.6", id="one that does not run"),
        pytest.param(["15.18", "18.6"], Need(15, uses_tls=False, archive_major=18), "18.6", id="an archive of 18"),
        pytest.param(["17.1", "18.6"], Need(17, uses_tls=False, archive_major=18), "17.1", id="17 reads what 18 wrote"),
        pytest.param(["15.18", "16.2"], Need(14, uses_tls=False, archive_major=16), "16.2", id="an archive of 16"),
        pytest.param(["16.2", "18.6"], Need(18, uses_tls=False, archive_major=14), "18.6", id="going up"),
    ],
)
def test_the_tools_are_chosen_by_version(there: list[str], need: Need, chosen: str) -> None:
    """F75, F96."""
    assert choose_tools([tools(each) for each in there], need).version == chosen


def test_tools_without_tls_are_no_choice_for_a_connection_that_uses_it() -> None:
    candidates = [tools("18.6", "/wheel", has_tls=False), tools("18.4", "/system")]

    assert choose_tools(candidates, Need(18, uses_tls=True)).folder == Path("/system")
    assert choose_tools(candidates, Need(18, uses_tls=False)).folder == Path("/wheel")


def test_where_none_fits_each_is_named_and_what_to_install() -> None:
    """F75."""
    candidates = [tools("15.18"), tools("", "/broken"), tools("18.6", "/wheel", has_tls=False)]

    with pytest.raises(ToolError) as raised:
        choose_tools(candidates, Need(17, uses_tls=True))

    assert "15.18 in /pg/15.18 (older than the server's 17)" in raised.value.message
    assert "? in /broken (does not run)" in raised.value.message
    assert "18.6 in /wheel (built without TLS, which the connection uses)" in raised.value.message
    assert raised.value.hint.startswith("install `postgresql-client-17`")


def test_no_tools_at_all_are_said() -> None:
    """F75."""
    with pytest.raises(ToolError, match="none at all"):
        choose_tools([], Need(18, uses_tls=False))


@pytest.mark.parametrize(("size_bytes", "cpus", "jobs"), [(1_000, 8, 1), (10**9, 1, 1), (10**9, 2, 2), (10**12, 64, 4)])
def test_large_databases_are_dumped_in_parallel(size_bytes: int, cpus: int, jobs: int) -> None:
    assert choose_jobs(size_bytes, cpus) == jobs


@pytest.mark.parametrize(
    ("version", "has_zstd", "flag"),
    [
        ("18.6", True, "--compress=zstd:1"),
        ("18.6", False, "--compress=gzip:1"),
        ("16.2", False, "--compress=gzip:1"),
        ("15.18", False, "--compress=1"),
    ],
)
def test_the_dump_is_always_compressed(version: str, has_zstd: bool, flag: str) -> None:
    order = DumpOrder(Path("/b/dump"), "0-1", has_zstd, jobs=2, lock_wait_ms=60_000)

    assert flag in dump_arguments(tools(version), order)


def test_pg_dump_gets_no_host_no_user_and_no_pattern_of_its_own() -> None:
    order = DumpOrder(Path("/b/dump"), "0-1", False, 1, 500, schema_only=True, without_rows=(("public", 'a"b.*'),))

    assert dump_arguments(tools("18.6", "/pg"), order) == [
        "/pg/pg_dump",
        "--format=directory",
        "--file=/b/dump",
        "--jobs=1",
        "--compress=gzip:1",
        "--snapshot=0-1",
        "--lock-wait-timeout=500",
        "--no-password",
        "--no-sync",
        "--schema-only",
        '--exclude-table-data="public"."a""b.*"',
    ]


@pytest.mark.parametrize(
    ("version", "server_major", "expected"),
    [("18.6", 15, True), ("17.1", 16, True), ("18.6", 17, False), ("16.2", 15, False)],
)
def test_only_a_newer_pg_restore_is_let_past_its_own_first_statement(
    version: str, server_major: int, expected: bool
) -> None:
    assert ignores_errors(tools(version), server_major) is expected
