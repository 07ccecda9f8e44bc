"""Which pg_restore reads an archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from stillroom.core.archive_tools import choose_readers, needs_zstd
from stillroom.core.pg_tools import Tools
from stillroom.errors import ToolError


def tools(*versions: str) -> list[Tools]:
    return [Tools(Path("/pg", version or "none"), version, "system") for version in versions]


@pytest.mark.parametrize(
    ("found", "archive", "order"),
    [
        (["17.6", "18.6", "16.2"], "18.6", ["18.6", "17.6"]),
        (["18.1", "17.6"], "18.6", ["17.6", "18.1"]),
        (["15.1", "16.2", "18.6"], "15.3", ["15.1", "16.2", "18.6"]),
        (["16.2", "17.1"], "17.6", ["17.1"]),
    ],
)
def test_its_own_version_comes_first_then_the_oldest(found: list[str], archive: str, order: list[str]) -> None:
    assert [each.version for each in choose_readers(tools(*found), archive)] == order


@pytest.mark.parametrize(("found", "seen"), [([], "none at all"), (["16.2", ""], "16.2 in /pg/16.2; ? in /pg/none")])
def test_none_is_said_with_what_there_is(found: list[str], seen: str) -> None:
    with pytest.raises(ToolError, match=r"no pg_restore here reads what pg_dump 18\.6 wrote") as caught:
        choose_readers(tools(*found), "18.6")

    assert seen in caught.value.message
    assert "postgresql-client-17" in caught.value.hint


def test_zstd_is_known_by_the_names() -> None:
    assert needs_zstd(["dump/toc.dat", "dump/1.dat.zst"])
    assert not needs_zstd(["dump/toc.dat", "dump/1.dat.gz"])
