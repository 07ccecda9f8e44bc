"""PostgreSQL's lock modes by their own names, and whom each keeps out.

Source: PostgreSQL documentation, "Explicit Locking", the table of conflicting lock modes.
"""

from __future__ import annotations

UNKNOWN = "unknown"
ROW_EXCLUSIVE = "ROW EXCLUSIVE"
SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
SHARE = "SHARE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
EXCLUSIVE = "EXCLUSIVE"
ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

# From the weakest on; what only reads (ACCESS SHARE, ROW SHARE) is not told.
BLOCKS = {
    UNKNOWN: "",
    ROW_EXCLUSIVE: "schema changes, and writes to the same rows",
    SHARE_UPDATE_EXCLUSIVE: "schema changes only",
    SHARE: "writes",
    SHARE_ROW_EXCLUSIVE: "writes",
    EXCLUSIVE: "writes",
    ACCESS_EXCLUSIVE: "reads and writes",
}
STRENGTH = {mode: strength for strength, mode in enumerate(BLOCKS)}

# A relation and its mode; a relation may be "the table of ix" where the statement names the index alone.
Found = tuple[tuple[str, str], ...]
TABLE_OF = "the table of "
CASCADE: Found = (("what CASCADE takes along", UNKNOWN),)


def strongest(modes: tuple[str, ...]) -> str:
    """Pick the strongest of at least one mode."""
    return max(modes, key=STRENGTH.__getitem__)
