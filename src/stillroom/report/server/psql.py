"""`invoke server.psql` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.server.psql import PsqlClosed


def text(result: PsqlClosed) -> str:
    """Return what psql wrote; on a terminal it has written it itself."""
    return result.output.removesuffix("\n")
