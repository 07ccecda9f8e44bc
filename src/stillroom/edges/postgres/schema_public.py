"""The schema `public` of a copy: the server makes it, and from PostgreSQL 15 on only the database's owner may create in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.core.public_rights import may_create_by
from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.errors import translated
from stillroom.errors import NotReadyError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.core.urls import DatabaseUrl

STRANGERS = """
select r.rolname::text, pg_catalog.quote_ident(r.rolname::text) from pg_roles r, pg_roles me
where r.rolname::text = any(%s::text[]) and me.rolname = current_user and not me.rolsuper and {}
"""
ANOTHER = sql.SQL("r.rolname <> current_user")
NO_MEMBER = sql.SQL("not pg_catalog.pg_has_role(current_user, r.oid, 'MEMBER'::text)")
MAY_NOT_CREATE = sql.SQL("not pg_catalog.has_schema_privilege(r.oid, 'public'::text, 'CREATE'::text)")


def is_anothers(connection: Connection, owner: str) -> bool:
    """Tell whether an owner is a role that this one cannot act for, being no superuser.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking at the roles"), connection.cursor() as cursor:
        cursor.execute(sql.SQL(STRANGERS).format(NO_MEMBER), ([owner],))
        return bool(cursor.fetchall())


def others_among(connection: Connection, owners: frozenset[str]) -> frozenset[str]:
    """Return the owners that are other roles than this one; none for a superuser, who may give anything to anyone.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking at the roles"), connection.cursor() as cursor:
        cursor.execute(sql.SQL(STRANGERS).format(ANOTHER), (sorted(owners),))
        return frozenset(name for name, _ in cursor.fetchall())


@contextmanager
def creating_in_public(
    url: DatabaseUrl, database: str, owners: frozenset[str], grants: str, *, command: str
) -> Iterator[None]:
    """Let owners of what is in `public` create there during the block: to be given a table, a role must be able to.

    pg_restore gives tables away before it grants what was granted. Where this role may not grant it, nothing is done.

    Args:
        url: Of the server.
        database: The copy.
        owners: Of what is restored into its `public`.
        grants: What was granted on `public` then: afterwards only that is left.
        command: The task.

    Raises:
        DatabaseError: The server failed.
    """
    lent: Mapping[str, str] = {}
    # Without a place for this session pg_restore has none either, and says so.
    with suppress(NotReadyError), closing(connect(url, command=command, database=database)) as connection:
        with translated("looking at the roles"), connection.cursor() as cursor:
            cursor.execute(sql.SQL(STRANGERS).format(MAY_NOT_CREATE), (sorted(owners),))
            found = dict(cursor.fetchall())
        if found and _change(connection, "grant create on schema public to {}", found):
            lent = found
    try:
        yield
    finally:
        again = [name for name, quoted in lent.items() if not may_create_by(grants, quoted)]
        if again:
            with closing(connect(url, command=command, database=database)) as connection:
                _change(connection, "revoke create on schema public from {}", again)


def _change(connection: Connection, statement: str, roles: Iterable[str]) -> bool:
    """Grant or revoke; return whether that was allowed."""
    names = sql.SQL(", ").join(map(sql.Identifier, roles))
    with translated("lending the schema public"), connection.cursor() as cursor, suppress(errors.InsufficientPrivilege):
        cursor.execute(sql.SQL(statement).format(names))
        return True
    return False
