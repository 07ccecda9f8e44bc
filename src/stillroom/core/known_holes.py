"""Holes of PostgreSQL's programs and libraries that are known, and the first minor of each major without them."""

from __future__ import annotations

from dataclasses import dataclass

Version = tuple[int, int]


@dataclass(frozen=True)
class Hole:
    """A hole that is known.

    Args:
        id: Its CVE number.
        what: What it lets happen.
        fixed: The first minor without it, by major; an older major got no repair.
        is_libpq: It is in the library, so in everything that connects; else in pg_dump alone.
    """

    id: str
    what: str
    fixed: dict[int, int]
    is_libpq: bool

    def repaired_in(self, major: int) -> str:
        """Name the version of this major that is repaired; empty when none is."""
        return f"{major}.{self.fixed[major]}" if major in self.fixed else ""

    def is_in(self, version: Version) -> bool:
        """Tell whether a version has it; a major newer than all that are known has not."""
        major, minor = version
        return major <= max(self.fixed) and minor < self.fixed.get(major, minor + 1)


HOLES = (
    Hole(
        "CVE-2024-7348",
        "a role of the server can run SQL as the one that dumps",
        {12: 20, 13: 16, 14: 13, 15: 8, 16: 4},
        is_libpq=False,
    ),
    Hole(
        "CVE-2026-6477",
        "a hostile server writes past a buffer when large objects are read",
        {14: 23, 15: 18, 16: 14, 17: 10, 18: 4},
        is_libpq=True,
    ),
)
OLDEST_SUPPORTED = 14


def find_holes(version: Version, *, only_libpq: bool = False) -> tuple[Hole, ...]:
    """Name the known holes of a version of pg_dump, or of libpq alone.

    Args:
        version: As (18, 6).
        only_libpq: It is the library that psycopg2 brings, and no pg_dump.
    """
    return tuple(each for each in HOLES if each.is_in(version) and (each.is_libpq or not only_libpq))


def lacking_minor(version: Version) -> str:
    """Name the version that a server of this major should have at least; empty when it has, or none is known."""
    major, minor = version
    wanted = max((each.fixed.get(major, 0) for each in HOLES), default=0)
    return f"{major}.{wanted}" if minor < wanted else ""


def read_version(text: str) -> Version:
    """Read "18.6"; a missing minor counts as 0."""
    major, _, minor = text.partition(".")
    return int(major), int(minor or 0)


def from_number(number: int) -> Version:
    """Read what libpq calls a version, as 180006."""
    return number // 10_000, number % 10_000


def shown(version: Version) -> str:
    """Write it as "18.6"."""
    return f"{version[0]}.{version[1]}"
