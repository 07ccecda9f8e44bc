"""The estimate of a dump's size."""

from __future__ import annotations

import pytest

from stillroom.core.room import estimate_dump_bytes

MB = 1024 * 1024


@pytest.mark.parametrize(
    ("last", "database", "expected", "basis"),
    [
        (100 * MB, 5 * MB, 120 * MB, "last backup"),
        (1, 900 * MB, MB, "last backup"),
        (None, 900 * MB, 450 * MB, "times the database"),
        (None, 10, MB, "times the database"),
    ],
)
def test_the_last_backup_counts_then_the_database(last: int | None, database: int, expected: int, basis: str) -> None:
    needed, said = estimate_dump_bytes(last, database)

    assert needed == expected
    assert basis in said
