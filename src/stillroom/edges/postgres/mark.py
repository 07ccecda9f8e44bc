"""The mark: the name of the environment, written in the database itself, in our own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import errors

from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.held import bound_waiting
from stillroom.edges.postgres.trust import find_distrust
from stillroom.edges.seams import seam

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

SCHEMA_VERSION = 1
CREATE = """
create schema if not exists stillroom;
create table if not exists stillroom.about (version integer not null);
insert into stillroom.about select %(version)s where not exists (select from stillroom.about);
create table if not exists stillroom.mark (
  environment text not null check (environment in ('development', 'test', 'staging', 'production')),
  set_at timestamptz not null default pg_catalog.now(), set_by text not null default current_user);
create unique index if not exists one_mark on stillroom.mark ((true));
grant usage on schema stillroom to public;
grant select on stillroom.mark, stillroom.about to public;
insert into stillroom.mark (environment) values (%(environment)s)
on conflict ((true)) do update set environment = excluded.environment, set_at = pg_catalog.now(), set_by = current_user;
"""
IS_EMPTY = """
select not exists (
  select from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname::text !~ '^pg_'::text and n.nspname not in ('information_schema', 'stillroom') and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass::oid and d.objid = c.oid and d.deptype = 'e'))
"""


def is_empty(connection: Connection) -> bool:
    """Ask whether no table, view or sequence is there that is not an extension's.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("looking whether the database is empty"), connection.cursor() as cursor:
        cursor.execute(IS_EMPTY)
        row = cursor.fetchone()
    return bool(row and row[0])


def carry_mark(connection: Connection, environment: str | None) -> bool:
    """Give a database that takes another one's place the mark of that one; an unknown one stays unknown.

    Args:
        connection: To the new database, in autocommit.
        environment: The mark of the one whose place it takes; None, or an unreadable one, takes the mark away.

    Returns:
        False when the role may not.

    Raises:
        DatabaseError: The server refused for another reason.
    """
    if environment in {"development", "test", "staging", "production"}:
        return write_mark(connection, environment)
    with translated("taking the mark away"), connection.cursor() as cursor:
        cursor.execute("select pg_catalog.to_regclass('stillroom.mark') is not null")
        if cursor.fetchone() == (True,):
            try:
                cursor.execute("delete from stillroom.mark")
            except errors.InsufficientPrivilege:
                return False
    return True


def _discard_strangers(cursor: Cursor) -> None:
    """Let a superuser drop a mark that counts as unknown whatever it says: what is written now shall be read."""
    cursor.execute("select current_user::text, rolsuper from pg_catalog.pg_roles where rolname = current_user")
    role, is_superuser = cursor.fetchone() or ("", False)
    if is_superuser and find_distrust(cursor, "stillroom.mark", role)[0]:
        cursor.execute("drop table stillroom.mark")


def write_mark(connection: Connection, environment: str) -> bool:
    """Write the environment's name into the database.

    Args:
        connection: In autocommit.

    Returns:
        False when the role may not create the schema, or may not write to it.

    Raises:
        DatabaseError: The server refused for another reason.
    """
    with translated("writing the mark"), cancelled_by_signals(connection), connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            bound_waiting(cursor)
            _discard_strangers(cursor)
            cursor.execute(CREATE, {"version": SCHEMA_VERSION, "environment": environment})
            seam("mark written")
            cursor.execute("commit")
            seam("mark committed")
        except errors.InsufficientPrivilege:
            cursor.execute("rollback")
            return False
        except BaseException:
            if not connection.closed:
                cursor.execute("rollback")
            raise
    return True
