"""How much room a dump will take, before it is made."""

from __future__ import annotations

GROWTH = 1.2  # since the last backup
OF_DATABASE = 0.5  # a dump holds no indexes and is compressed; more than that is rare
LEAST_BYTES = 1024 * 1024  # a list of contents, a manifest, and blocks that are not full


def estimate_dump_bytes(last_bytes: int | None, database_bytes: int) -> tuple[int, str]:
    """Estimate the size of a dump, and say from what.

    Args:
        last_bytes: The size of the last backup of this database that holds the same; None without one.
        database_bytes: What `pg_database_size` says.
    """
    if last_bytes is not None:
        return max(int(last_bytes * GROWTH), LEAST_BYTES), f"{GROWTH} times the last backup"
    return max(
        int(database_bytes * OF_DATABASE), LEAST_BYTES
    ), f"{OF_DATABASE} times the database, without an earlier backup"
