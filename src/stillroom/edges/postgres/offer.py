"""What a server offers to a backup that shall be restored on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

HERE = """
select (select system_identifier::text from pg_catalog.pg_control_system()), r.rolsuper, pg_catalog.pg_encoding_to_char(d.encoding)::text,
       array(select each from pg_catalog.unnest(%s::text[]) each where each <> all (array(select rolname::text from pg_roles)))
from pg_roles r, pg_database d where r.rolname = current_user and d.datname = pg_catalog.current_database()
"""


@dataclass(frozen=True)
class Offer:
    """What is there.

    Args:
        major: The server's major version.
        system_identifier: Of the cluster.
        is_superuser: The role that is connected is one.
        encoding: Of the database that is connected to.
        missing_roles: Those of the wanted ones that are not there.
        extensions: Those that can be created, and in which version.
    """

    major: int
    system_identifier: str
    is_superuser: bool
    encoding: str
    missing_roles: tuple[str, ...]
    extensions: Mapping[str, str]


def read_offer(connection: Connection, roles: Iterable[str] = ()) -> Offer:
    """Ask a server what it offers.

    Args:
        connection: To any database of it, in autocommit.
        roles: That are wanted.

    Raises:
        DatabaseError: The server failed.
    """
    with translated("looking at the server"), connection.cursor() as cursor:
        cursor.execute(HERE, (sorted(roles),))
        row = cursor.fetchone()
        assert row is not None
        cursor.execute("select name::text, default_version from pg_catalog.pg_available_extensions")
        major = connection.info.server_version // 10_000
        return Offer(major, row[0], row[1], row[2], tuple(row[3]), dict(cursor.fetchall()))
