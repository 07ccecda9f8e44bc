"""What the database says about itself: its current revisions, its mark, whether it can be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import errors, sql

from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.held import bound_waiting, naming_holders
from stillroom.edges.postgres.trust import find_distrust
from stillroom.errors import DatabaseError, RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

# What the server resolves for this role and database, without "$user": a schema that happens to have the role's name
# would otherwise take all tables.
# Every function by its whole name: before the path is fixed, somebody else's `ltrim` may lie in it (CVE-2018-1058).
RESOLVED_PATH = """coalesce(nullif(pg_catalog.ltrim(pg_catalog.regexp_replace(pg_catalog.current_setting('search_path'),
  '(^|,)\\s*("\\$user"|\\$user)\\s*(?=,|$)', '', 'g'), ', '), ''), pg_catalog.quote_ident(pg_catalog.current_schema()), 'public')"""
PLACES = """
select pg_catalog.current_database(), current_user::text, coalesce(pg_catalog.current_schema()::text, 'public'),
       pg_catalog.to_regclass('stillroom.mark') is not null,
       (select n.nspname::text from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.oid = pg_catalog.to_regclass(%(name)s)::oid),
       (select pg_catalog.string_agg(n.nspname::text, ', '::text) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where c.relname::text = %(table)s::text and c.relkind in ('r', 'p') and n.nspname::text !~ '^pg_'::text),
       pg_catalog.current_schema() is null and exists (
         select from pg_catalog.pg_namespace where nspname::text = 'public'::text and pg_catalog.has_schema_privilege(oid, 'usage'::text)),
       pg_catalog.current_setting('search_path'), pg_catalog.to_regclass('stillroom.ledger') is not null
"""
_MARK = """
select environment, written_in is null or written_in = xmin::text::bigint from stillroom.mark
"""


@dataclass(frozen=True)
class Current:
    """Where a database stands.

    Args:
        revisions: What the version table holds, sorted.
        has_version_table: It exists; an empty one is not the same as none.
        mark: The environment written in the database; None without one, "unknown" when a stranger wrote it, "copied" when
            it came here in a dump of another database.
        database: Its name.
        role: Who we are there.
        schema: Where unqualified names are created.
        has_ledger: Runs are recorded here; whether the record is ours is another question.
        copied_mark: What the mark says that came here in a dump, and so does not count.
    """

    revisions: tuple[str, ...]
    has_version_table: bool
    mark: str | None
    database: str
    role: str
    schema: str
    has_ledger: bool = False
    copied_mark: str | None = None


def read_current(
    connection: Connection,
    *,
    version_table: str,
    version_table_schema: str | None,
    search_path: str | None = None,
    only_looks: bool = False,
) -> Current:
    """Read the version table and the mark in one short read-only transaction; nothing of the session is changed.

    Args:
        connection: Nothing is open on it.
        version_table: Its name.
        version_table_schema: Where it is; None for where the search path leads.
        search_path: The one to use; None for what the server resolves for this role and database.
        only_looks: Nothing will be written: the table may be another role's, where no code of that role would run.

    Raises:
        RefusedError: The version table is in another schema than the one the search path leads to, or is not ours.
        HeldError: Another session has locked the version table or the mark; it is named.
        DatabaseError: The server refused, or the role may not use the schema.
    """
    held = naming_holders(connection, version_table, "mark")
    with translated("reading the current revision"), held, connection.cursor() as cursor:
        for left in reversed(range(3)):
            cursor.execute("begin read only")
            try:
                with cancelled_by_signals(connection):
                    return _read(cursor, version_table, version_table_schema, search_path, only_looks=only_looks)
            except errors.UndefinedTable:
                # A reset dropped it after it was found; now it is either gone for all, or there again.
                if not left:
                    raise
            finally:
                if not connection.closed:
                    cursor.execute("rollback")
    raise AssertionError("unreachable: the last try returns or raises")


def _read(cursor: Cursor, table: str, schema: str | None, search_path: str | None, *, only_looks: bool) -> Current:
    bound_waiting(cursor)
    pin_search_path(cursor, search_path, is_local=True)
    cursor.execute(PLACES, {"name": _qualified(schema, table), "table": table})
    row = cursor.fetchone()
    assert row is not None
    database, role, current_schema, has_mark, found_in, lies_in, looks_nowhere, path, has_ledger = row
    if found_in is None and lies_in and looks_nowhere and not schema:
        raise RefusedError(
            f"{database}: the search_path of {role} is {path}, which names no schema that is there; the version table {table} is in {lies_in}",
            hint=f"set STILLROOM_SEARCH_PATH={lies_in.split(', ')[0]} (quotes around a whole path make it one name)",
        )
    if found_in is None and lies_in == current_schema:
        raise DatabaseError(
            f"{database}: {role} may not use schema {lies_in}, where the version table {table} is",
            hint=f'as its owner: `GRANT USAGE ON SCHEMA "{lies_in}" TO "{role}";`',
        )
    if found_in is None and lies_in and not schema and not search_path:
        raise RefusedError(
            f"{database}: the version table {table} is in schema {lies_in}, and {role} looks in {current_schema}",
            hint=f"set STILLROOM_SEARCH_PATH={lies_in.split(', ')[0]}",
        )
    revisions: tuple[str, ...] = ()
    if found_in is not None:
        name = _qualified(found_in, table)
        problem, hint = find_distrust(cursor, name, role, plain_for="all" if only_looks else "superusers")
        if problem:
            raise RefusedError(f"{database}: the version table {name} {problem}", hint=hint)
        cursor.execute(sql.SQL("select version_num from {}").format(sql.Identifier(found_in, table)))
        revisions = tuple(sorted(each for (each,) in cursor.fetchall()))
    mark, is_own = _read_mark(cursor, role) if has_mark else (None, True)
    copied, mark = (None, mark) if is_own else (mark, "copied")
    place = found_in or current_schema
    return Current(revisions, found_in is not None, mark, database, role, place, has_ledger, copied)


def _qualified(schema: str | None, table: str) -> str:
    return ".".join('"' + each.replace('"', '""') + '"' for each in (schema, table) if each)


def _read_mark(cursor: Cursor, role: str) -> tuple[str | None, bool]:
    """Read the mark, and whether it was written here; one that may not be read, or that a stranger wrote, counts as unknown."""
    if find_distrust(cursor, "stillroom.mark", role)[0]:
        return "unknown", True
    cursor.execute("savepoint mark")
    try:
        cursor.execute(_MARK)
        row = cursor.fetchone()
    except (errors.InsufficientPrivilege, errors.UndefinedColumn):
        cursor.execute("rollback to savepoint mark")
        return "unknown", True
    return (row[0], row[1]) if row else (None, True)


def pin_search_path(cursor: Cursor, search_path: str | None, *, is_local: bool) -> None:
    """Fix the search path, for the transaction or for the session."""
    if search_path:
        cursor.execute("select pg_catalog.set_config('search_path', %s, %s)", (search_path, is_local))
    else:
        cursor.execute(
            sql.SQL("select pg_catalog.set_config('search_path', {}, %s)").format(sql.SQL(RESOLVED_PATH)), (is_local,)
        )


def read_search_path(connection: Connection, search_path: str | None) -> str:
    """Read what unqualified names resolve through here, as text for `search_path`.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the search path"), reading(connection, search_path) as cursor:
        cursor.execute("select pg_catalog.current_setting('search_path')")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


@contextmanager
def reading(connection: Connection, search_path: str | None) -> Iterator[Cursor]:
    """Open a read-only transaction with the search path fixed in it alone: behind a pooler the session is somebody else's.

    Raises:
        HeldError: Another session has locked what is read; it is named.
    """
    with naming_holders(connection), connection.cursor() as cursor:
        cursor.execute("begin read only")
        try:
            with cancelled_by_signals(connection):
                bound_waiting(cursor)
                pin_search_path(cursor, search_path, is_local=True)
                yield cursor
        finally:
            if not connection.closed:
                cursor.execute("rollback")


def is_lost(connection: Connection) -> bool:
    """Ask whether the connection is gone."""
    return (
        bool(connection.closed) or connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_UNKNOWN
    )
