"""Invoke tasks that take a PostgreSQL schema change from an edited model to production without surprises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stillroom.edges.alembic.backfilling import backfill as backfill

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Bring what revisions use when it is asked for: `from stillroom import backfill`."""
    if name == "backfill":
        from stillroom.edges.alembic.backfilling import backfill

        return backfill
    raise AttributeError(f"module 'stillroom' has no attribute {name!r}")
