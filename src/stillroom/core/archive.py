"""The first bytes of pg_dump's archive: which pg_restore can read it, before one is started."""

from __future__ import annotations

MAGIC = b"PGDMP"
# The archive's version and the oldest pg_restore that knows it (tried with 13 to 18).
NEEDS = {(1, 14): 12, (1, 15): 16, (1, 16): 17}
NEWEST = max(NEEDS)
HEADER_BYTES = 7


class ArchiveError(ValueError):
    """What is there is no archive that any pg_restore known here reads; the text says why."""


def needed_major(header: bytes) -> int:
    """Name the oldest major version of pg_restore that reads an archive.

    Args:
        header: Its first 7 bytes.

    Raises:
        ArchiveError: It is none, or newer than what is known here.
    """
    if len(header) < HEADER_BYTES or not header.startswith(MAGIC):
        raise ArchiveError("its dump is no archive of pg_dump")
    version = (header[5], header[6])
    if version > NEWEST:
        known = ".".join(map(str, NEWEST))
        raise ArchiveError(f"its archive has version {version[0]}.{version[1]}, and this stillroom knows up to {known}")
    return NEEDS.get(version, min(NEEDS.values()))
