"""A look at live values in the middle of a comparison; whatever happens, the comparison goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions

LOOK_MS = 5000
"""Longest look at one column's values, in milliseconds."""


@contextmanager
def looking(connection: Any) -> Iterator[Any]:
    """Hand out a cursor whose statements are bounded in time and taken back, errors included.

    Args:
        connection: SQLAlchemy's.
    """
    raw = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        is_idle = raw.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_IDLE
        cursor.execute("begin read only" if is_idle else "savepoint stillroom_look")
        try:
            cursor.execute("set local statement_timeout = %s", (LOOK_MS,))
            yield cursor
        finally:
            cursor.execute("rollback" if is_idle else "rollback to savepoint stillroom_look")
