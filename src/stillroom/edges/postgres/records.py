"""What the ledger says of each revision: one row, the last that counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.core.journal import OpenStep
from stillroom.core.ledger.records import Record
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.held import naming_holders
from stillroom.edges.postgres.journal import find_open
from stillroom.edges.postgres.ledger import can_read
from stillroom.edges.postgres.own_schema import transaction

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

_LATEST = """
select distinct on (revision) revision, parents, script, tree, sql, ended_at at time zone 'UTC', actor, host, kind = 'acceptance'::text
from stillroom.ledger
where kind in ('step', 'acceptance', 'settlement') and outcome in ('applied', 'accepted') and script <> ''::text
order by revision, id desc
"""
_PLACE = """
select outcome, after from stillroom.ledger where kind in ('run', 'stamp', 'reset', 'restore', 'settlement') order by id desc limit 1
"""


def read_place(connection: Connection, role: str) -> tuple[str, ...]:
    """Read where the last run left the database; nothing where no row says so.

    Args:
        connection: In autocommit.
        role: Who we are there.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the ledger"), connection.cursor() as cursor, transaction(cursor, reads=True):
        if not can_read(cursor, role):
            return ()
        cursor.execute(_PLACE)
        row = cursor.fetchone()
    return tuple(row[1]) if row and row[0] != "started" else ()


@dataclass(frozen=True)
class Memory:
    """What the database remembers of its revisions.

    Args:
        records: What the ledger says of each; none where there is no ledger that could be believed.
        open_step: A step that nobody has said the end of: it runs, or was cut short.
    """

    records: Mapping[str, Record]
    open_step: OpenStep | None


def read_records(connection: Connection, role: str) -> Mapping[str, Record]:
    """Read what the ledger says of each revision.

    Raises:
        HeldError: Another session has locked the ledger; it is named.
        DatabaseError: The server refused.
    """
    return read_memory(connection, role).records


def read_memory(connection: Connection, role: str) -> Memory:
    """Read it in one short read-only transaction.

    Args:
        connection: In autocommit.
        role: Who we are there.

    Raises:
        HeldError: Another session has locked the ledger; it is named.
        DatabaseError: The server refused.
    """
    held = naming_holders(connection, "ledger", "journal")
    with translated("reading the ledger"), held, connection.cursor() as cursor, transaction(cursor, reads=True):
        if not can_read(cursor, role):
            return Memory({}, None)
        return Memory(find_records(cursor), find_open(cursor, role))


def find_records(cursor: Cursor) -> Mapping[str, Record]:
    """Read what the ledger says of each revision, in the transaction that is open; it is there and trusted.

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute(_LATEST)
    return {
        revision: Record(revision, tuple(parents), script, tree, sql, at, f"{actor} on {host}", is_accepted)
        for revision, parents, script, tree, sql, at, actor, host, is_accepted in cursor.fetchall()
    }
