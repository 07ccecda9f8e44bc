"""The journal in the database: a row for each step that commits as it goes, and one for each statement it has sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from psycopg2 import sql

from stillroom.core.journal import OpenStep, Sent, Wanted
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.held import naming_holders
from stillroom.edges.postgres.own_schema import transaction
from stillroom.edges.postgres.trust import find_distrust

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

TABLES = ("stillroom.journal", "stillroom.journal_statement")
CREATE = """
create table if not exists stillroom.journal (
  id bigint generated always as identity primary key,
  run text not null, actor text not null, host text not null, revision text not null, direction text not null,
  started_at timestamptz not null, closed_at timestamptz, outcome text not null default 'open');
create table if not exists stillroom.journal_statement (
  journal bigint not null, place integer not null, digest text not null, shown text not null, state text not null,
  returns boolean not null default false, wanted text[], rows bigint, key text not null default '',
  primary key (journal, place));
grant select on stillroom.journal, stillroom.journal_id_seq, stillroom.journal_statement to public;
"""
_OPEN = """
select id, run, actor, host, revision, direction, started_at at time zone 'UTC' from stillroom.journal
where closed_at is null order by id desc limit 1
"""
_STATEMENTS = """
select place, digest, shown, state, returns, wanted, rows, key from stillroom.journal_statement where journal = %s::bigint order by place
"""
_WRITE = """
insert into stillroom.journal_statement (journal, place, digest, shown, state, returns, wanted, rows, key)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (journal, place) do update set digest = excluded.digest, shown = excluded.shown, state = excluded.state,
  returns = excluded.returns, wanted = excluded.wanted, rows = excluded.rows, key = excluded.key
"""
_INDEX = """
select i.indisvalid, pg_catalog.format('%%I.%%I', n.nspname::text, c.relname::text),
       pg_catalog.to_regclass(%(table)s)::oid is not distinct from i.indrelid
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_index i on i.indexrelid = c.oid
where c.oid = pg_catalog.to_regclass(%(name)s)::oid
"""


def open_step(cursor: Cursor, run: str, actor: str, host: str, revision: str, direction: str) -> int:
    """Enter a step that is about to commit a part of itself, in the transaction that does; return the row's id.

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute(
        "insert into stillroom.journal (run, actor, host, revision, direction, started_at) "
        "values (%s, %s, %s, %s, %s, pg_catalog.clock_timestamp()) returning id",
        (run, actor, host, revision, direction),
    )
    (row,) = cursor.fetchall()
    return int(row[0])


def write_statements(cursor: Cursor, journal: int, statements: Iterable[Sent]) -> None:
    """Write statements, or what is known of them now.

    Raises:
        psycopg2.Error: The server refused.
    """
    for each in statements:
        wanted = [each.wanted.kind, each.wanted.name, each.wanted.table] if each.wanted else None
        values = (journal, each.place, each.digest, each.shown, each.state, each.returns, wanted, each.rows, each.key)
        cursor.execute(_WRITE, values)


def close_step(cursor: Cursor, journal: int, outcome: str) -> None:
    """Say that a step has ended, in the transaction that is open.

    Args:
        cursor: Of the connection.
        journal: The row's id.
        outcome: "applied", "undone", "nothing" (nothing of it was there), "reset" or "stamped".

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute(
        "update stillroom.journal set closed_at = pg_catalog.clock_timestamp(), outcome = %s where id = %s::bigint",
        (outcome, journal),
    )


def close_alone(connection: Connection, journal: int, outcome: str) -> None:
    """Say it in a transaction of its own.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("closing the journal"), connection.cursor() as cursor, transaction(cursor):
        close_step(cursor, journal, outcome)


def read_open(connection: Connection, role: str) -> OpenStep | None:
    """Read the step that nobody has said the end of; None when there is none, or no journal that could be believed.

    Args:
        connection: In autocommit.
        role: Who we are there.

    Raises:
        HeldError: Another session has locked the journal; it is named.
        DatabaseError: The server refused.
    """
    held = naming_holders(connection, "journal")
    with translated("reading the journal"), held, connection.cursor() as cursor, transaction(cursor, reads=True):
        return find_open(cursor, role)


def find_open(cursor: Cursor, role: str) -> OpenStep | None:
    """Read it in the transaction that is open.

    Raises:
        psycopg2.Error: The server refused.
    """
    cursor.execute("select pg_catalog.to_regclass('stillroom.journal_statement') is not null")
    if cursor.fetchone() != (True,) or find_distrust(cursor, TABLES[0], role)[0]:
        return None
    cursor.execute(_OPEN)
    row = cursor.fetchone()
    if row is None or find_distrust(cursor, TABLES[1], role)[0]:
        return None
    id_, run, actor, host, revision, direction, started_at = row
    cursor.execute(_STATEMENTS, (id_,))
    statements = []
    for place, digest, shown, state, returns, wanted, rows, key in cursor.fetchall():
        statements.append(Sent(place, digest, shown, state, returns, Wanted(*wanted) if wanted else None, rows, key))
    return OpenStep(id_, run, revision, direction, started_at, f"{actor} on {host}", tuple(statements))


def look_for(cursor: Cursor, wanted: Wanted) -> tuple[str, str]:
    """Say what became of an index that was being built or dropped.

    Args:
        cursor: Its search path is the one of the step.
        wanted: The index.

    Returns:
        "valid", "invalid", "another" (of that name, on another table) or "absent"; and the index as SQL names it.

    Raises:
        psycopg2.Error: The server refused.
    """
    quoted = {"name": _quoted(wanted.name), "table": _quoted(wanted.table) if wanted.table else None}
    cursor.execute(_INDEX, quoted)
    row = cursor.fetchone()
    if row is None:
        return "absent", ""
    is_valid, shown, is_its = row
    if wanted.table and not is_its:
        return "another", shown
    return "valid" if is_valid else "invalid", shown


def drop_invalid(connection: Connection, name: str) -> None:
    """Drop exactly this index, beside whoever works on its table.

    Args:
        connection: In autocommit.
        name: As SQL names it, with its schema.

    Raises:
        DatabaseError: The server refused.
    """
    with translated(f"dropping the invalid index {name}"), connection.cursor() as cursor:
        cursor.execute("select pg_catalog.current_setting('lock_timeout')")
        (before,) = cursor.fetchone() or ("0",)
        # Its wait blocks nobody, and a timeout would leave it as it is.
        cursor.execute("select pg_catalog.set_config('lock_timeout', '0', false)")
        try:
            cursor.execute(sql.SQL("drop index concurrently {}").format(sql.SQL(name)))
        finally:
            if not connection.closed:
                cursor.execute("select pg_catalog.set_config('lock_timeout', %s, false)", (before,))


def _quoted(name: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
