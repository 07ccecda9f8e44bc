"""The manifest of a backup, written and read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from stillroom.core.contents import TableRows
from stillroom.core.manifest import DumpFile, Manifest, ManifestError, read_manifest, write_manifest

MANIFEST = Manifest(
    database="shop",
    server="shop on localhost as app",
    server_version="18.6",
    tool="/usr/lib/postgresql/18/bin/pg_dump",
    tool_version="18.6",
    revisions=("abc", "def"),
    created_at=datetime(2026, 1, 13, 14, 2, 11, tzinfo=UTC),
    sequence=7,
    run="0123456789abcdef",
    files=(DumpFile("dump/toc.dat", 100, "aa"), DumpFile("dump/1.dat.gz", 20, "bb")),
    rows=(TableRows("public", "users", 3), TableRows("public", 'odd."name"', 4)),
    without_rows=("public.messages",),
    schema_only=False,
    verified="read",
    verified_at=datetime(2026, 1, 13, 14, 2, 12, tzinfo=UTC),
    seconds=1.25,
)


def _changed(**changes: Any) -> str:
    """A manifest as a stillroom of the first format wrote it, without a digest."""
    return json.dumps(json.loads(write_manifest(MANIFEST)) | {"format": 1} | changes)


def test_a_manifest_survives_the_way_to_the_disk_and_back() -> None:
    assert read_manifest(write_manifest(MANIFEST)) == MANIFEST


def test_a_manifest_adds_up() -> None:
    assert MANIFEST.size_bytes == 120
    assert MANIFEST.row_count == 7
    assert MANIFEST.place == "abc, def"
    assert replace(MANIFEST, revisions=()).place == "base"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(write_manifest(MANIFEST)[:-20], id="cut"),
        pytest.param("[]", id="a list"),
        pytest.param("7", id="a number"),
        pytest.param(_changed(format="1"), id="a format that is no number"),
        pytest.param(_changed(files=None), id="no files"),
        pytest.param(_changed(sequence=True), id="a truth value for a number"),
        pytest.param(_changed(rows=[{"schema": "public", "name": "users"}]), id="a count is missing"),
        pytest.param(_changed(created_at="yesterday"), id="no time"),
        pytest.param(_changed(created_at="2026-01-13T14:02:11"), id="a time without a zone"),
        pytest.param("[" * 100_000, id="nested without end"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(ManifestError):
        read_manifest(text)


def test_a_manifest_of_a_newer_stillroom_is_not_guessed_at() -> None:
    with pytest.raises(ManifestError, match="has format 3, and this stillroom reads up to 2"):
        read_manifest(_changed(format=3))


@pytest.mark.parametrize(("name", "value"), [("sequence", 8), ("verified", "restore"), ("revisions", []), ("rows", [])])
def test_an_edit_by_hand_is_noticed(name: str, value: object) -> None:
    """F85"""
    edited = json.loads(write_manifest(MANIFEST)) | {name: value}
    with pytest.raises(ManifestError, match="was changed after it was written"):
        read_manifest(json.dumps(edited))


def test_a_manifest_of_the_first_format_is_still_read() -> None:
    old = {name: each for name, each in json.loads(_changed()).items() if name not in {"contents", "commit", "schemas"}}
    assert read_manifest(json.dumps(old)) == MANIFEST


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/dump/toc.dat", "dump/../../x", "dump/a\0b"])
def test_a_manifest_does_not_lead_out_of_its_backup(path: str) -> None:
    with pytest.raises(ManifestError, match="outside"):
        read_manifest(_changed(files=[{"path": path, "size_bytes": 1, "sha256": "aa"}]))
