"""Which pg_restore can read an archive, where there is no server to fit."""

from __future__ import annotations

from collections.abc import Iterable

from stillroom.core.pg_tools import NEWEST_HEADER_MAJOR, NoToolsError, Tools

ZSTD_END = ".zst"


def needs_zstd(paths: Iterable[str]) -> bool:
    """Tell from the names of a dump's files whether they are compressed with zstd."""
    return any(each.endswith(ZSTD_END) for each in paths)


def choose_readers(candidates: Iterable[Tools], archive_version: str) -> tuple[Tools, ...]:
    """Order those that know the archive's format: the one of its own version first, then the oldest.

    Args:
        candidates: What is on this machine.
        archive_version: Of the pg_dump that wrote it, as "18.6".

    Raises:
        NoToolsError: None knows it; each is named with its version.
    """
    found = tuple(candidates)
    oldest = min(int(archive_version.partition(".")[0] or 0), NEWEST_HEADER_MAJOR)
    able = [each for each in found if each.major >= oldest]
    if able:
        return tuple(sorted(able, key=lambda each: (each.version != archive_version, each.major)))
    seen = "; ".join(f"{each.version or '?'} in {each.folder}" for each in found)
    raise NoToolsError(
        f"no pg_restore here reads what pg_dump {archive_version} wrote; found {seen or 'none at all'}",
        hint=f"install `postgresql-client-{oldest}`, or set STILLROOM_PG_BIN to the folder of another pg_restore",
    )
