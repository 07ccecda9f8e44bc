"""Roles that a trial has made on a server of the project's own: dropped again, because they are not part of its database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


@contextmanager
def without_new_roles(connection: Connection, has_made: Callable[[], bool]) -> Iterator[None]:
    """Drop at the end of the block the roles that came into being in it, with what they own in this database.

    Args:
        connection: In autocommit, to the database that the trial is made in.
        has_made: Asked whether there may be any.

    Raises:
        psycopg2.Error: The server refused to name its roles.
    """
    before = read_roles(connection)
    try:
        yield
    finally:
        if has_made() and not connection.closed:
            # One that another database has given something to stays: it is somebody's.
            with suppress(psycopg2.Error), connection.cursor() as cursor:
                for name in sorted(read_roles(connection) - before):
                    cursor.execute(sql.SQL("drop owned by {}").format(sql.Identifier(name)))
                    cursor.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))


def read_roles(connection: Connection) -> set[str]:
    """Name every role of the server, as the transaction that is open sees them.

    Raises:
        psycopg2.Error: The server refused, or the connection is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute("select rolname::text from pg_catalog.pg_roles")
        return {name for (name,) in cursor.fetchall()}
