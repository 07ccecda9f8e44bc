"""A database of our own on a server, made to try something and dropped again."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from psycopg2 import sql

from stillroom.edges.interrupt import restore_handlers, set_handlers
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.databases import create_like, drop, may_create
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.leftovers import sweep_unfinished
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl
    from stillroom.edges.postgres.databases import DatabaseState

PREFIX = "stillroom_scratch_"
FEW_CONNECTIONS = 3


@contextmanager
def scratch_database(
    url: DatabaseUrl, *, command: str, say: Callable[[str], None] = lambda _: None
) -> Iterator[str | None]:
    """Create a database, yield its name, and drop it; None when the role may not create one, or the server only reads.

    Raises:
        DatabaseError: The server refused for another reason.
    """
    with closing(connect(url, command=command)) as connection:
        if not may_create(connection):
            yield None
            return
        sweep_unfinished(connection, say)
        has_few = _has_few_connections(connection)
        with made(url, connection, None, command=command) as name:
            if has_few:
                connection.close()
            yield name


@contextmanager
def made(url: DatabaseUrl, connection: Connection, model: DatabaseState | None, *, command: str) -> Iterator[str]:
    """Create a scratch database, and drop it at the end of the block.

    What a kill leaves is dropped by the next run: a comment names the session that made it, which stays open meanwhile.

    Args:
        url: Of the server, for another connection where that one is lost.
        connection: In autocommit.
        model: A database that it shall be like, in encoding, locale and owner; None for the server's own choice.
        command: The task.

    Raises:
        DatabaseError: The server refused.
    """
    name = PREFIX + secrets.token_hex(6)
    try:
        # Inside: a signal that comes while the server creates is raised after it has.
        create_like(connection, name, model)
        yield name
    finally:
        before = set_handlers(signal.SIG_IGN)
        try:
            _drop(url, connection, name, command)
        finally:
            restore_handlers(before)


def _drop(url: DatabaseUrl, connection: Connection, name: str, command: str) -> None:
    if not connection.closed:
        try:
            drop(connection, name)
        except DatabaseError:
            if not connection.closed:
                raise
        else:
            return
    with closing(connect(url, command=command)) as another:
        drop(another, name)


def _has_few_connections(connection: Connection) -> bool:
    """Tell a role that cannot spare a connection for as long as the work takes."""
    with translated("looking at the role"), connection.cursor() as cursor:
        cursor.execute(
            "select rolconnlimit between 0 and %s from pg_roles where rolname = current_user", (FEW_CONNECTIONS,)
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def make_schemas(url: DatabaseUrl, names: Sequence[str], *, command: str) -> None:
    """Make the schemas that are there before the first revision.

    Raises:
        DatabaseError: The server refused.
    """
    with (
        closing(connect(url, command=command)) as connection,
        translated("preparing the scratch database"),
        connection.cursor() as cursor,
    ):
        for name in names:
            cursor.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(name)))


def drop_schema(url: DatabaseUrl, database: str, name: str, *, command: str) -> None:
    """Drop a schema of a new database; one that holds something stays, and that is an error.

    Raises:
        DatabaseError: The server refused.
    """
    with (
        closing(connect(url, command=command, database=database)) as connection,
        translated("preparing the new database"),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.SQL("drop schema if exists {}").format(sql.Identifier(name)))
