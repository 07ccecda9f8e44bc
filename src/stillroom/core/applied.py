"""What became of one step, apart from Alembic: the process that waits for the one that ran it need not load that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Applied:
    """One revision that ran, and how long it took."""

    revision: str
    message: str
    seconds: float
