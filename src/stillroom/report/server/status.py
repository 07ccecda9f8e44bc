"""`invoke server.status` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report.server import facts, other_database

if TYPE_CHECKING:
    from stillroom.commands.server.status import ServerShown


def text(result: ServerShown) -> str:
    """Say where the server's files are; the last line, whether it runs."""
    state = result.state
    if state.is_running:
        last = f"embedded server: PostgreSQL {state.version} running, pid {state.pid}"
    elif state.pid:
        last = f"embedded server: pid {state.pid} runs, but does not answer on its socket"
    else:
        last = f"embedded server: not running; `invoke server.start` starts PostgreSQL {state.version}"
    return "\n".join([*facts(state), *other_database(result.other_database), last])
