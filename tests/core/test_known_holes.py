"""Which versions have known holes."""

from __future__ import annotations

import pytest

from stillroom.core.known_holes import find_holes, from_number, lacking_minor, read_version

DUMP, LIBPQ = "CVE-2024-7348", "CVE-2026-6477"


@pytest.mark.parametrize(
    ("version", "holes"),
    [
        ("11.22", [DUMP, LIBPQ]),
        ("12.19", [DUMP, LIBPQ]),
        ("12.20", [LIBPQ]),
        ("13.16", [LIBPQ]),
        ("14.12", [DUMP, LIBPQ]),
        ("14.13", [LIBPQ]),
        ("14.22", [LIBPQ]),
        ("14.23", []),
        ("15.7", [DUMP, LIBPQ]),
        ("15.18", []),
        ("16.3", [DUMP, LIBPQ]),
        ("16.14", []),
        ("17.0", [LIBPQ]),
        ("17.9", [LIBPQ]),
        ("17.10", []),
        ("18.3", [LIBPQ]),
        ("18.4", []),
        ("18", [LIBPQ]),
        ("19.0", []),
    ],
)
def test_the_holes_of_a_pg_dump(version: str, holes: list[str]) -> None:
    """S25: the first minors without them, and majors that got no repair."""
    assert [each.id for each in find_holes(read_version(version))] == holes


def test_the_library_has_no_hole_of_pg_dump() -> None:
    """S25."""
    assert [each.id for each in find_holes((14, 12), only_libpq=True)] == [LIBPQ]
    assert find_holes(from_number(170_011), only_libpq=True) == ()


@pytest.mark.parametrize(
    ("version", "lacks"),
    [((18, 3), "18.4"), ((18, 4), ""), ((16, 2), "16.14"), ((12, 1), "12.20"), ((19, 0), "")],
    ids=str,
)
def test_the_minor_that_a_server_lacks(version: tuple[int, int], lacks: str) -> None:
    assert lacking_minor(version) == lacks
