"""Databases beside each other on one server: which there are, what the role may do with them, made and dropped."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import errors, sql

from stillroom.edges.postgres.connect import connect
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.time_limits import unbounded
from stillroom.edges.seams import seam
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from stillroom.core.urls import DatabaseUrl

MAINTENANCE = ("postgres", "template1")
DROP_TRIES = 4  # the server waits 5 s for each
CREATING = 0x7374_696C_6C72  # an advisory lock of the database that we connect to beside the project's
UNFINISHED = "stillroom: unfinished restore into {}, session "
SESSIONS = """
select pid, coalesce(usename::text, '?'), coalesce(application_name, '') from pg_stat_activity
where datname = %s and pid <> %s and pid <> pg_catalog.pg_backend_pid() and coalesce(backend_type, 'client backend') = 'client backend' order by pid
"""
STATE = """
select d.oid, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
       pg_catalog.to_jsonb(d) ->> 'datlocprovider'::text, coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale'::text,
         pg_catalog.to_jsonb(d) ->> 'daticulocale'::text),
       pg_catalog.pg_has_role(current_user, d.datdba, 'member')
from pg_database d where d.datname = %s
"""


@dataclass(frozen=True)
class DatabaseState:
    """A database as the server's catalog has it.

    Args:
        oid: Its number; stays when it is renamed.
        owner: A role.
        encoding: As "UTF8".
        collate: Its LC_COLLATE.
        ctype: Its LC_CTYPE.
        provider: Of its locale: c, i (ICU), b (built in); None before PostgreSQL 15.
        locale: Of a provider other than c.
        is_ours: The role is its owner, or a member of it.
    """

    oid: int
    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str | None
    locale: str | None
    is_ours: bool


def connect_beside(url: DatabaseUrl, *, command: str) -> Connection:
    """Connect to a database of the server that is not the URL's: only from there can that one be renamed.

    Raises:
        DatabaseError: The server lets the role into none.
    """
    said = None
    for name in MAINTENANCE:
        if name != url.name:
            try:
                return connect(url, command=command, database=name)
            except DatabaseError as error:
                said = said or error
    assert said is not None, "one of two names is always another one"
    raise said


def connect_beside_or_to(url: DatabaseUrl, *, command: str) -> Connection:
    """Connect beside the URL's database; to it, where the role may connect to no other one.

    Raises:
        DatabaseError: The server lets the role into none.
    """
    try:
        return connect_beside(url, command=command)
    except DatabaseError:
        return connect(url, command=command)


def read_database(connection: Connection, name: str) -> DatabaseState | None:
    """Look a database up; None when there is none of that name."""
    with translated("looking at the databases"), connection.cursor() as cursor:
        cursor.execute(STATE, (name,))
        row = cursor.fetchone()
    return DatabaseState(*row) if row else None


def may_create(connection: Connection) -> bool:
    """Ask whether the role may create (and with that, rename) databases; not on a server that only reads."""
    with translated("looking at the role"), connection.cursor() as cursor:
        cursor.execute(
            """select (rolcreatedb or rolsuper) and pg_catalog.current_setting('transaction_read_only') = 'off'
               from pg_roles where rolname = current_user"""
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def create_like(connection: Connection, name: str, model: DatabaseState | None) -> None:
    """Create an empty database with the encoding, the locale and, where the role may, the owner of another one.

    Until `finish` it carries a comment that names our session, so that the next run sweeps what a kill left. Until it has
    that comment nobody may connect to it, and we hold a lock: a kill in between leaves one that can be told as well.

    Raises:
        DatabaseError: The server refused.
    """
    parts = [sql.SQL("create database {} template template0 allow_connections false").format(sql.Identifier(name))]
    if model:
        words = {"encoding": model.encoding, "lc_collate": model.collate, "lc_ctype": model.ctype}
        provider = {"i": ("icu", "icu_locale"), "b": ("builtin", "builtin_locale")}.get(model.provider or "")
        if provider and model.locale:
            words |= {"locale_provider": provider[0], provider[1]: model.locale}
        parts += [sql.SQL("{} = {}").format(sql.SQL(word), sql.Literal(value)) for word, value in words.items()]
        if model.is_ours:
            parts.append(sql.SQL("owner {}").format(sql.Identifier(model.owner)))
    with translated(f"creating the database {name}"), connection.cursor() as cursor:
        # The server may end idle sessions, and this one says that somebody is at work.
        unbounded(cursor)
        cursor.execute("select pg_catalog.pg_advisory_lock_shared(%s::bigint)", (CREATING,))
        cursor.execute(sql.SQL(" ").join(parts))
        seam("database created")
        cursor.execute(commenting(name, f"{UNFINISHED.format(name)}{connection.info.backend_pid}"))
        cursor.execute("select pg_catalog.pg_advisory_unlock_shared(%s::bigint)", (CREATING,))
        cursor.execute(sql.SQL("alter database {} allow_connections true").format(sql.Identifier(name)))


def give_to_ordinary_role(connection: Connection, name: str, role: str) -> None:
    """Give a new database to a role that may do nothing else; it is made where it is missing.

    Raises:
        DatabaseError: The server refused.
    """
    with translated(f"giving {name} to {role}"), connection.cursor() as cursor:
        with suppress(errors.DuplicateObject, errors.UniqueViolation):  # of two at once, one makes it
            cursor.execute(sql.SQL("create role {} login nosuperuser").format(sql.Identifier(role)))
        change = sql.SQL("alter database {} owner to {}").format(sql.Identifier(name), sql.Identifier(role))
        cursor.execute(change)


def finish(connection: Connection, name: str, comment: str | None) -> None:
    """Say that a restored database is whole: from now on no run drops it.

    Raises:
        DatabaseError: The server refused.
    """
    with translated(f"finishing the database {name}"), connection.cursor() as cursor:
        cursor.execute(commenting(name, comment))


def commenting(name: str, text: str | None) -> sql.Composed:
    """Write the statement that comments a database."""
    return sql.SQL("comment on database {} is {}").format(sql.Identifier(name), sql.Literal(text))


def drop(connection: Connection, name: str) -> None:
    """Drop a database that we made; its sessions end.

    A cancel that was sent for the statement before may arrive as late as in this one: that is no reason to leave it.

    Raises:
        DatabaseError: The server refused.
    """
    # Not WITH (FORCE): that would end an autovacuum worker, too, for which a role needs a right; the server does it by itself.
    statement = sql.SQL("drop database if exists {}").format(sql.Identifier(name))
    with translated(f"dropping the database {name}"), connection.cursor() as cursor:
        for _ in range(DROP_TRIES - 1):
            with suppress(errors.QueryCanceled, errors.ObjectInUse):
                end_sessions(cursor, name)
                cursor.execute(statement)
                return
        cursor.execute(statement)


def end_sessions(cursor: Cursor, name: str, *, spared_pid: int = 0) -> tuple[str, ...]:
    """End the clients of a database; our own session, and one more that is named, stay.

    Returns:
        Those that the role may not end, in words.
    """
    stubborn = []
    cursor.execute(SESSIONS, (name, spared_pid))
    for pid, role, program in cursor.fetchall():
        try:
            cursor.execute("select pg_catalog.pg_terminate_backend(%s)", (pid,))
        except errors.InsufficientPrivilege:
            stubborn.append(f"pid {pid}, {role}, {program or 'no application name'}")
    return tuple(stubborn)


def analyze(url: DatabaseUrl, database: str, *, command: str) -> None:
    """Gather the planner's statistics, which a dump does not hold.

    Raises:
        DatabaseError: The server failed.
    """
    connection = connect(url, command=command, database=database)
    with closing(connection), translated("gathering statistics"), connection.cursor() as cursor:
        unbounded(cursor)
        cursor.execute("analyze")
