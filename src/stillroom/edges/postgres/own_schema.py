"""Our own schema in the database: made when it is first needed, with a version, and never changed when it is newer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.edges.postgres.held import bound_waiting
from stillroom.edges.postgres.trust import find_distrust

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

SCHEMA_VERSION = 1
BEGINNING = """
create schema if not exists stillroom;
create table if not exists stillroom.about (version integer not null);
insert into stillroom.about select %(version)s where not exists (select from stillroom.about);
grant usage on schema stillroom to public;
grant select on stillroom.about to public;
"""
# Two sessions that make it at the same moment would meet in the catalog's unique indexes.
MAKING = 2_208_114_693_717_360_911


@dataclass(frozen=True)
class Made:
    """What became of it: new, there already, or the problem in words and what helps."""

    is_new: bool = False
    problem: str = ""
    hint: str = ""


def create_schema(cursor: Cursor, statements: str, *, wanted: tuple[str, ...], database: str, role: str) -> Made:
    """Make our schema and a part of it, in one transaction; nothing is written where the part is there already.

    Args:
        cursor: In autocommit.
        statements: What makes the part; safe to run where some of it is there.
        wanted: The tables that show whether the part is there.
        database: Its name.
        role: Who we are there.

    Raises:
        psycopg2.Error: The server refused for another reason than a right.
    """
    version = read_version(cursor, role)
    if version > SCHEMA_VERSION:
        return Made(
            problem=f"the schema stillroom is of version {version}, and this stillroom knows {SCHEMA_VERSION}",
            hint="install the newer stillroom; what it wrote is only read until then",
        )
    missing = next((each for each in wanted if not _is_there(cursor, each)), None)
    if missing is None:
        return Made()
    try:
        with transaction(cursor):
            cursor.execute("select pg_catalog.pg_advisory_xact_lock(%s::bigint)", (MAKING,))
            cursor.execute(BEGINNING, {"version": SCHEMA_VERSION})
            cursor.execute(statements)
    except errors.InsufficientPrivilege:
        return Made(problem=f"{role} may not make {missing} in {database}", hint=hint_for_grant(cursor, database, role))
    return Made(is_new=True)


def _is_there(cursor: Cursor, table: str) -> bool:
    cursor.execute("select pg_catalog.to_regclass(%s) is not null", (table,))
    return cursor.fetchone() == (True,)


@contextmanager
def transaction(cursor: Cursor, *, reads: bool = False) -> Iterator[None]:
    """Open a transaction whose waits for tables are bounded, and commit it, or roll it back and raise.

    Args:
        cursor: In autocommit.
        reads: The server holds it read-only.
    """
    cursor.execute("begin read only" if reads else "begin")
    try:
        bound_waiting(cursor)
        yield
        cursor.execute("commit")
    except BaseException:
        if not cursor.connection.closed:
            cursor.execute("rollback")
        raise


def read_version(cursor: Cursor, role: str) -> int:
    """Read the version of our schema; 0 where there is none, or what says so is a stranger's."""
    try:
        with transaction(cursor, reads=True):
            return find_version(cursor, role)
    except errors.InsufficientPrivilege:
        return 0


def find_version(cursor: Cursor, role: str) -> int:
    """Read it in the transaction that is open.

    Raises:
        psycopg2.Error: The server refused.
    """
    if not _is_there(cursor, "stillroom.about") or find_distrust(cursor, "stillroom.about", role)[0]:
        return 0
    cursor.execute("select version from stillroom.about order by version desc limit 1")
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def hint_for_grant(cursor: Cursor, database: str, role: str) -> str:
    """Write the GRANT that is missing: of the database, or of the role that our schema belongs to."""
    cursor.execute(
        "select pg_catalog.pg_get_userbyid(nspowner)::text from pg_catalog.pg_namespace where nspname::text = 'stillroom'::text"
    )
    row = cursor.fetchone()
    if row is None:
        grant = sql.SQL("GRANT CREATE ON DATABASE {} TO {};").format(sql.Identifier(database), sql.Identifier(role))
        return f"as its owner: `{grant.as_string(cursor)}`"
    membership = sql.SQL("GRANT {} TO {};").format(sql.Identifier(row[0]), sql.Identifier(role))
    return f"schema stillroom is {row[0]}'s: `{membership.as_string(cursor)}`"
