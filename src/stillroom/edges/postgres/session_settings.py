"""What is set for the session that migrates: how long it may wait, and how soon a dead network is noticed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from psycopg2 import errors

from stillroom.core.limits import Limits
from stillroom.edges.postgres.current import pin_search_path
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

# What an ordinary role may set; a server that does not know one is not asked to.
SETTINGS = {
    "client_connection_check_interval": "1s",
    "idle_in_transaction_session_timeout": "10min",
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}


def notice_dead_clients(connection: Connection) -> None:
    """Let the server end this session soon after the network to us has gone; its own default is two hours.

    Raises:
        psycopg2.Error: The connection is lost.
    """
    with connection.cursor() as cursor:
        _set(cursor, {name: value for name, value in SETTINGS.items() if name.startswith("tcp_")})


def set_up(connection: Connection, limits: Limits) -> None:
    """Pin the search path and bound every wait of the session that migrates.

    Raises:
        DatabaseError: The server refused.
    """
    wanted = SETTINGS | {
        "statement_timeout": f"{limits.statement_timeout_ms}ms",
        "lock_timeout": f"{limits.lock_timeout_ms}ms",
    }
    with translated("setting the session up"), connection.cursor() as cursor:
        pin_search_path(cursor, limits.search_path, is_local=False)
        try:
            _set(cursor, wanted)
        except errors.InvalidParameterValue:
            # A server that knows the name and not the value: macOS has no client_connection_check_interval before 15.
            for name, value in wanted.items():
                with suppress(errors.InvalidParameterValue):
                    _set(cursor, {name: value})


def _set(cursor: Cursor, wanted: dict[str, str]) -> None:
    cursor.execute(
        """select pg_catalog.set_config(s.name, w.value, false)
           from unnest(%s::text[], %s::text[]) as w(name, value) join pg_settings s on s.name = w.name""",
        (list(wanted), list(wanted.values())),
    )
