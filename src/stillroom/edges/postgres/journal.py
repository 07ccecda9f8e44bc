"""The journal in the database: a row for each step that commits as it goes, and one for each statement it has sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
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
  returns boolean not null default false, changes boolean not null default false, wanted text[], rows bigint, key text not null default '',
  primary key (journal, place));
grant select on stillroom.journal, stillroom.journal_id_seq, stillroom.journal_statement to public;
"""
_OPEN = """
select id, run, actor, host, revision, direction, started_at at time zone 'UTC' from stillroom.journal
where closed_at is null order by id desc limit 1
"""
_STATEMENTS = """
select place, digest, shown, state, returns, changes, wanted, rows, key from stillroom.journal_statement where journal = %s::bigint order by place
"""
_WRITE = """
insert into stillroom.journal_statement (journal, place, digest, shown, state, returns, changes, wanted, rows, key)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (journal, place) do update set digest = excluded.digest, shown = excluded.shown, state = excluded.state,
  returns = excluded.returns, changes = excluded.changes, wanted = excluded.wanted, rows = excluded.rows, key = excluded.key
"""
_INDEXES = """
select i.indexrelid::text, i.indisvalid, pg_catalog.format('%%I.%%I', n.nspname::text, c.relname::text),
       i.indexrelid = coalesce(pg_catalog.to_regclass(%(name)s)::oid, 0::oid)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_index i on i.indexrelid = c.oid
where i.indrelid = pg_catalog.to_regclass(%(table)s)::oid or c.oid = pg_catalog.to_regclass(%(name)s)::oid
order by i.indexrelid
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
        it = each.wanted
        wanted = [it.kind, it.name, it.table, *it.before] if it else None
        flags = (each.returns, each.changes)
        values = (journal, each.place, each.digest, each.shown, each.state, *flags, wanted, each.rows, each.key)
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
    for place, digest, shown, state, returns, changes, it, rows, key in cursor.fetchall():
        wanted = Wanted(it[0], it[1], it[2], tuple(it[3:])) if it else None
        statements.append(Sent(place, digest, shown, state, returns, changes, wanted, rows, key))
    return OpenStep(id_, run, revision, direction, started_at, f"{actor} on {host}", tuple(statements))


def with_those_before(cursor: Cursor, wanted: Wanted) -> Wanted:
    """Note which indexes are there before one is built: whatever is new afterwards is its own.

    Raises:
        psycopg2.Error: The server refused.
    """
    if wanted.kind != "create index":
        return wanted
    return replace(wanted, before=tuple(row[0] for row in _read_indexes(cursor, wanted)))


def look_for(cursor: Cursor, wanted: Wanted) -> tuple[str, str]:
    """Say what became of an index that was being built or dropped.

    Args:
        cursor: Its search path is the one of the step.
        wanted: The index.

    Returns:
        "valid", "invalid" or "absent", and the index as SQL names it; one that was there before it was built is not it.

    Raises:
        psycopg2.Error: The server refused.
    """
    for oid, is_valid, shown, has_name in _read_indexes(cursor, wanted):
        if oid not in wanted.before and (has_name or not wanted.name):
            return "valid" if is_valid else "invalid", shown
    return "absent", ""


def _read_indexes(cursor: Cursor, wanted: Wanted) -> list[tuple[str, bool, str, bool]]:
    names = {"name": _quoted(wanted.name), "table": _quoted(wanted.table)}
    cursor.execute(_INDEXES, {key: name or None for key, name in names.items()})
    return list(cursor.fetchall())


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
    if not name:
        return ""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
