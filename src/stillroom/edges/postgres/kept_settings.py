"""What a step sets for its session and leaves so, put back: the next step shall not depend on what ran before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from psycopg2 import sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# Set anew for each transaction, or the transaction's own: while one is open they have its value.
_SET = """
select s.name, s.setting from pg_catalog.pg_settings s
where s.source = 'session'::text and s.name <> all (array['lock_timeout', 'statement_timeout', 'search_path',
  'transaction_isolation', 'transaction_read_only', 'transaction_deferrable']::text[])
"""


def read_settings(connection: Connection) -> dict[str, str]:
    """Read what is set for the session, by name, in the units that the server counts in.

    Raises:
        psycopg2.Error: The connection is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SET)
        return dict(cursor.fetchall())


def put_settings_back(connection: Connection, before: Mapping[str, str]) -> None:
    """Set and reset what has changed since; where no transaction was open, none is afterwards.

    Raises:
        psycopg2.Error: The connection is lost.
    """
    was_idle = connection.info.transaction_status == TRANSACTION_STATUS_IDLE
    now = read_settings(connection)
    with connection.cursor() as cursor:
        for name in now.keys() - before.keys():
            cursor.execute(sql.SQL("reset {}").format(sql.Identifier(name)))
        for name, value in before.items():
            if now.get(name) != value:
                cursor.execute("select pg_catalog.set_config(%s, %s, false)", (name, value))
    if was_idle and not connection.autocommit:
        connection.commit()
