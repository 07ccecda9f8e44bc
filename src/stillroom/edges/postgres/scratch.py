"""A database of our own on the same server, made to try something and dropped again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from stillroom.core.urls import DatabaseUrl

PREFIX = "stillroom_scratch_"


@contextmanager
def scratch_database(url: DatabaseUrl, *, command: str) -> Iterator[str | None]:
    """Create a database, yield its name, and drop it; None when the role may not create one.

    Raises:
        DatabaseError: The server refused for another reason.
    """
    name = PREFIX + secrets.token_hex(6)
    with (
        closing(connect(url, command=command)) as connection,
        translated("making a scratch database"),
        connection.cursor() as cursor,
    ):
        try:
            cursor.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except errors.InsufficientPrivilege:
            name = ""
    if not name:
        yield None
        return
    try:
        yield name
    finally:
        with (
            closing(connect(url, command=command)) as connection,
            translated("dropping the scratch database"),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
