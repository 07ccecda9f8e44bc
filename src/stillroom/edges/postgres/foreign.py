"""The ways that lead from a copy to other servers: taken away, because what lies at their end is no copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.edges.postgres.errors import translated
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

MAPPINGS = (
    "select srvname::text, case when umuser = 0::oid then null else usename::text end from pg_catalog.pg_user_mappings"
)


def drop_user_mappings(connection: Connection) -> None:
    """Drop every user mapping of a copy: without one no foreign server lets anybody in, by whatever statement.

    Args:
        connection: To the copy, in autocommit.

    Raises:
        RefusedError: The role may not drop one.
        DatabaseError: The server failed.
    """
    with translated("cutting the copy off"), connection.cursor() as cursor:
        cursor.execute(MAPPINGS)
        for server, role in cursor.fetchall():
            who = sql.Identifier(role) if role else sql.SQL("public")
            statement = sql.SQL("drop user mapping for {} server {}").format(who, sql.Identifier(server))
            try:
                cursor.execute(statement)
            except errors.InsufficientPrivilege:
                raise RefusedError(
                    f"the copy leads to the foreign server {server}, and this role may not take that away",
                    hint="as the server's owner, or without the rehearsal: `--no-rehearse`",
                ) from None
