"""Roles that a rehearsal leaves on a server that others use, made by statements that nobody can read beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg2

from stillroom.edges.postgres.new_roles import read_roles
from stillroom.errors import AnswerNoError, StillroomError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

NO_REHEARSAL = "without a rehearsal, once the revision is read: `--no-rehearse`"


@contextmanager
def new_roles_named(connection: Connection, made: Set[str], *, is_shared: bool) -> Iterator[list[str]]:
    """Compare the server's roles at the end of the block with those before; nothing is dropped on a server that others use.

    Args:
        connection: In autocommit, to the copy.
        made: Takes, in the block, those that a transaction of the rehearsal has made for certain.
        is_shared: Others use the server; of one of the project's own nothing is said.

    Returns:
        A list that holds, after the block, the new ones that others may have made.

    Raises:
        AnswerNoError: The rehearsal has left some: they are named with what drops them. Another error of the block says so, too.
        psycopg2.Error: The server refused to name its roles.
    """
    before, others = read_roles(connection), list[str]()
    try:
        yield others
    except StillroomError as error:
        left = sorted(_left(connection, before) & made) if is_shared else []
        if not left:
            raise
        raise type(error)(f"{error.message}; {_describe(left)}", hint=f"{error.hint}; {_drops(left)}") from None
    if not is_shared:
        return
    found = _left(connection, before)
    others += sorted(found - made)
    left = sorted(found & made)
    if left:
        raise AnswerNoError(f"the plan works, but {_describe(left)}", hint=f"{_drops(left)}; {NO_REHEARSAL}")


def _left(connection: Connection, before: Set[str]) -> set[str]:
    try:
        return read_roles(connection) - before
    except psycopg2.Error:
        return set()


def _describe(roles: list[str]) -> str:
    return f"it made the role {', '.join(roles)} on the server, which others use, and left it there"


def _drops(roles: list[str]) -> str:
    quoted = ('"' + each.replace('"', '""') + '"' for each in roles)
    return f"`{' '.join(f'DROP ROLE {each};' for each in quoted)}` takes away what the rehearsal made"
