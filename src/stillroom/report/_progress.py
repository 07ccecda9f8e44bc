"""How far a backup or a restore is, in one line of a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from stillroom.report._amounts import size


def copying(verb: str, tables: Iterable[str], done_bytes: int, total_bytes: int = 0) -> str:
    """Say which tables are copied and how much there is; a total that turned out too small is left out.

    Args:
        verb: "dumping" or "restoring".
        tables: Right now.
        done_bytes: Of all tables so far.
        total_bytes: About; 0 where nobody knows.
    """
    about = f" of about {size(total_bytes)}" if total_bytes >= done_bytes else ""
    return "  ".join((verb, ", ".join(tables), size(done_bytes) + about))


def counting(verb: str, table: str, number: int, total: int) -> str:
    """Say which table is read, and how many there are."""
    return f"{verb} {table} ({number} of {total} tables)"


def written(verb: str, size_bytes: int) -> str:
    """Say how much there is, where no more is known."""
    return f"{verb}  {size(size_bytes)}"
