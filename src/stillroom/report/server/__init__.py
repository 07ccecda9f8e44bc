"""The server.* tasks as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.edges.embedded import ServerState


def facts(state: ServerState) -> list[str]:
    """List what a person wants to know about the server, one line each."""
    made = f"PostgreSQL {state.data_major}" if state.data_major else "not made yet"
    lines = [f"data:    {state.data} ({made})", f"socket:  {state.socket}", f"log:     {state.log}"]
    return [*lines, f"note:    {state.note}"] if state.note else lines


def other_database(name: str) -> list[str]:
    """Say which database the tasks use, when it is not this server's."""
    return [f"note:    DATABASE_URL is set: the tasks use {name}, not this server"] if name else []
