"""A database of our own on a server, made to try something and dropped again."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.edges.interrupt import restore_handlers, set_handlers
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

PREFIX = "stillroom_scratch_"


@contextmanager
def scratch_database(url: DatabaseUrl, *, command: str) -> Iterator[str | None]:
    """Create a database, yield its name, and drop it; None when the role may not create one, or the server only reads.

    Raises:
        DatabaseError: The server refused for another reason.
    """
    name = PREFIX + secrets.token_hex(6)
    may = True
    try:
        # Inside: a signal that comes while the server creates is raised after it has.
        may = _create(url, name, command)
        yield name if may else None
    finally:
        if may:
            before = set_handlers(signal.SIG_IGN)
            try:
                _drop(url, name, command)
            finally:
                restore_handlers(before)


def _create(url: DatabaseUrl, name: str, command: str) -> bool:
    with (
        closing(connect(url, command=command)) as connection,
        translated("making a scratch database"),
        connection.cursor() as cursor,
    ):
        try:
            cursor.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction):
            return False
    return True


def _drop(url: DatabaseUrl, name: str, command: str) -> None:
    with (
        closing(connect(url, command=command)) as connection,
        translated("dropping the scratch database"),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


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
