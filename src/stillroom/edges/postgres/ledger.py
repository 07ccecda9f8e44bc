"""The ledger in the database: made once, only ever added to, each row tied to the one before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.core.ledger.entries import COLUMNS, Entry, Facts, Row, chain_of, entry_from, values_of
from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres import journal
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.own_schema import create_schema, transaction
from stillroom.edges.postgres.trust import find_distrust

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

TABLE = "stillroom.ledger"
# Rows are added one after another: each needs the chain value of the one before. Only ever held for one short insert.
TURN = 6_031_769_251_447_109_122
CREATE = """
create table if not exists stillroom.ledger (
  id bigint generated always as identity primary key,
  run text not null, command text not null, actor text not null, host text not null, stillroom text not null,
  application text not null, commit text not null, is_dirty boolean not null,
  kind text not null, outcome text not null, started_at timestamptz not null, ended_at timestamptz not null,
  seconds double precision not null, direction text not null, revision text not null, parents text[] not null,
  script text not null, tree text not null, sql text not null, sqlstate text not null, backup text not null,
  reason text not null, before text[] not null, after text[] not null,
  role text not null, previous text not null unique, chain text not null);
create or replace function stillroom.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as
  $$ begin raise exception 'stillroom.ledger is only ever added to'; end $$;
create or replace trigger only_added_to before update or delete or truncate on stillroom.ledger
  for each statement execute function stillroom.refuse_change();
grant select on stillroom.ledger, stillroom.ledger_id_seq to public;
"""
_LAST = "select chain from stillroom.ledger order by id desc limit 1"


@dataclass
class Ledger:
    """Where the rows of one run are entered.

    Args:
        facts: The same for every row.
        role: Who we are in the database.
    """

    facts: Facts
    role: str

    def enter(self, cursor: Cursor, entry: Entry) -> None:
        """Add a row in the transaction that is open.

        Raises:
            psycopg2.Error: The server refused.
        """
        cursor.execute("select pg_catalog.pg_advisory_xact_lock(%s::bigint)", (TURN,))
        cursor.execute(_LAST)
        previous = (cursor.fetchone() or ("",))[0]
        values = values_of(entry) | {"role": self.role, "previous": previous}
        values["chain"] = chain_of(entry, self.role, previous)
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        places = sql.SQL(", ").join(map(sql.Placeholder, values))
        cursor.execute(sql.SQL("insert into stillroom.ledger ({}) values ({})").format(names, places), values)

    def enter_alone(self, connection: Connection, entries: Iterable[Entry]) -> None:
        """Add rows in a transaction of their own.

        Args:
            connection: Nothing is open on it.

        Raises:
            DatabaseError: The server refused.
        """
        with translated("writing the ledger"), connection.cursor() as cursor, transaction(cursor):
            for entry in entries:
                self.enter(cursor, entry)


@dataclass(frozen=True)
class Opened:
    """Whether rows can be entered.

    Args:
        is_usable: They can.
        is_new: The ledger was made just now.
        problem: Why not, in words.
        hint: What would help: the exact GRANT.
    """

    is_usable: bool
    is_new: bool = False
    problem: str = ""
    hint: str = ""


def open_ledger(connection: Connection, *, database: str, role: str) -> Opened:
    """Look whether rows can be entered, and make the tables when they are not there.

    Args:
        connection: In autocommit.
        database: Its name.
        role: Who we are there.

    Raises:
        DatabaseError: The server refused for another reason than a right.
    """
    with translated("opening the ledger"), cancelled_by_signals(connection), connection.cursor() as cursor:
        made = create_schema(
            cursor, CREATE + journal.CREATE, wanted=(TABLE, *journal.TABLES), database=database, role=role
        )
        if made.problem:
            return Opened(is_usable=False, problem=made.problem, hint=made.hint)
        with transaction(cursor, reads=True):
            found = [(each, *find_distrust(cursor, each, role)) for each in (TABLE, *journal.TABLES)]
            may_write = all(_may(cursor, each, "insert") for each, _, _ in found)
            may_write = may_write and all(_may(cursor, each, "update") for each in journal.TABLES)
        for table, problem, hint in found:
            if problem:
                return Opened(is_usable=False, problem=f"{table} {problem}", hint=hint)
        if not may_write:
            to = sql.Identifier(role).as_string(cursor)
            grant = f"GRANT INSERT ON {TABLE} TO {to}; GRANT INSERT, UPDATE ON {', '.join(journal.TABLES)} TO {to};"
            return Opened(is_usable=False, problem=f"{role} may not add to {TABLE}", hint=f"as its owner: `{grant}`")
        return Opened(is_usable=True, is_new=made.is_new)


def _may(cursor: Cursor, table: str, right: str) -> bool:
    cursor.execute("select pg_catalog.has_table_privilege(%s::text, %s::text)", (table, right))
    return cursor.fetchone() == (True,)


def read_rows(cursor: Cursor) -> tuple[Row, ...]:
    """Read all rows in the order in which they were written.

    Args:
        cursor: In a transaction; the table is there and trusted.

    Raises:
        psycopg2.Error: The server refused.
    """
    names = sql.SQL(", ").join(map(sql.Identifier, ("id", "role", "previous", "chain", *COLUMNS)))
    cursor.execute(sql.SQL("select {} from stillroom.ledger order by id").format(names))
    return tuple(
        Row(row[0], entry_from(dict(zip(COLUMNS, row[4:], strict=True))), row[1], row[2], row[3])
        for row in cursor.fetchall()
    )


def can_read(cursor: Cursor, role: str) -> bool:
    """Ask whether there is a ledger, it is ours, and it may be read."""
    cursor.execute("select pg_catalog.to_regclass('stillroom.ledger') is not null")
    if cursor.fetchone() != (True,) or find_distrust(cursor, TABLE, role)[0]:
        return False
    cursor.execute("savepoint ledger")
    try:
        cursor.execute("select chain from stillroom.ledger limit 0")
    except (errors.InsufficientPrivilege, errors.UndefinedColumn):
        cursor.execute("rollback to savepoint ledger")
        return False
    return True
