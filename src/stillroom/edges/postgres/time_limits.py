"""Time limits of the role or the database, lifted for a session that copies: it takes as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

TIMEOUTS = ("statement_timeout", "transaction_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")


def unbounded(cursor: Cursor) -> None:
    """Lift the role's own time limits for this session: a copy takes as long as it takes, as pg_dump sees it, too."""
    lift(cursor, *TIMEOUTS)


def lift(cursor: Cursor, *names: str) -> None:
    """Switch time limits off for this session, those of them that the server knows."""
    cursor.execute("select name from pg_settings where name = any(%s)", (list(names),))
    for (name,) in cursor.fetchall():
        cursor.execute("select pg_catalog.set_config(%s, '0', false)", (name,))
