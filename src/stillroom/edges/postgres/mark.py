"""The mark: the name of the environment, written in the database itself, in our own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import errors

from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.own_schema import Made, create_schema, hint_for_grant, transaction
from stillroom.edges.postgres.trust import find_distrust
from stillroom.edges.seams import seam

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

TABLE = "stillroom.mark"
CREATE = """
create table if not exists stillroom.mark (
  environment text not null check (environment in ('development', 'test', 'staging', 'production')),
  set_at timestamptz not null default pg_catalog.now(), set_by text not null default current_user, written_in bigint);
create unique index if not exists one_mark on stillroom.mark ((true));
grant select on stillroom.mark to public;
"""
# The row keeps the number of the transaction that wrote it. A copy made by pg_dump is written by another one, and so is not
# believed; a copy of files (pg_upgrade, a snapshot of the disk, a template) is the same row.
WRITE = """
insert into stillroom.mark (environment, written_in)
values (%(environment)s, pg_catalog.pg_current_xact_id()::text::bigint %% 4294967296)
on conflict ((true)) do update set environment = excluded.environment, set_at = pg_catalog.now(), set_by = current_user,
  written_in = excluded.written_in
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
        return not write_mark(connection, environment).problem
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


def write_mark(connection: Connection, environment: str, *, database: str = "", role: str = "") -> Made:
    """Write the environment's name into the database.

    Args:
        connection: In autocommit.
        environment: One of the four.
        database: Its name, for the GRANT.
        role: Who we are there.

    Returns:
        A problem when the role may not create the schema, or may not write to it.

    Raises:
        DatabaseError: The server refused for another reason.
    """
    with translated("writing the mark"), cancelled_by_signals(connection), connection.cursor() as cursor:
        with transaction(cursor):
            _discard_strangers(cursor)
        made = create_schema(cursor, CREATE, wanted=(TABLE,), database=database, role=role)
        if made.problem:
            return made
        try:
            with transaction(cursor):
                cursor.execute(WRITE, {"environment": environment})
                seam("mark written")
        except errors.InsufficientPrivilege:
            return Made(problem=f"{role} may not write to {TABLE}", hint=hint_for_grant(cursor, database, role))
        seam("mark committed")
    return made
