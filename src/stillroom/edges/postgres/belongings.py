"""What belongs to a database and is in no dump of it: settings, the comment, who may connect, how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql

from stillroom.core.contents import Belongings, DatabaseGrant, DatabaseSetting
from stillroom.core.session_options import fits_session
from stillroom.edges.postgres.errors import as_database_error, describe, translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from stillroom.core.session_options import SessionSettings

SETTINGS = """
select r.rolname, pg_catalog.split_part(each, '=', 1), pg_catalog.substr(each, pg_catalog.strpos(each, '=') + 1)
from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase left join pg_roles r on r.oid = s.setrole,
     pg_catalog.unnest(s.setconfig) each
where d.datname = %s order by 1 nulls first, 2
"""
GRANTS = """
select g.rolname, a.privilege_type, a.is_grantable
from pg_database d, pg_catalog.aclexplode(d.datacl) a left join pg_roles g on g.oid = a.grantee
where d.datname = %s and a.grantee <> d.datdba order by 1 nulls first, 2
"""


RIGHTS = """
select datacl is not null, datconnlimit, pg_catalog.shobj_description(oid, 'pg_database') from pg_database where datname = %s
"""
PRIVILEGES = {word: sql.SQL(word) for word in ("CREATE", "CONNECT", "TEMPORARY")}
Statements = list[tuple[Any, tuple[Any, ...]]]


def read_belongings(cursor: Cursor, database: str) -> Belongings:
    """Read what belongs to a database of the server; nothing of one that is not there."""
    cursor.execute(SETTINGS, (database,))
    settings = tuple(DatabaseSetting(*row) for row in cursor.fetchall())
    cursor.execute(GRANTS, (database,))
    grants = tuple(DatabaseGrant(*row) for row in cursor.fetchall())
    cursor.execute(RIGHTS, (database,))
    has_grants, limit, comment = cursor.fetchone() or (False, -1, None)
    return Belongings(settings, grants if has_grants else None, limit, comment)


def give(connection: Connection, target: str, belongings: Belongings, *, resets: bool) -> tuple[str, ...]:
    """Give a new database what belongs to another one, but for its comment, and look whether it has it.

    Args:
        connection: In autocommit, to any database of the server.
        target: The database that gets it.
        belongings: What it shall have.
        resets: Take away what it was given to be filled.

    Returns:
        What it does not have, in words; the role may lack the right.

    Raises:
        DatabaseError: The server failed.
    """
    failed = []
    with connection.cursor() as cursor:
        for what, statements in _all(target, belongings, resets=resets):
            try:
                cursor.execute("begin")
                for statement, values in statements:
                    # None, not an empty tuple: with that, psycopg2 reads a `%` in a quoted name as a place for a value.
                    cursor.execute(statement, values or None)
                cursor.execute("commit")
            except psycopg2.Error as error:
                if connection.closed:
                    raise as_database_error(error, "carrying over what belongs to the database") from None
                cursor.execute("rollback")
                failed.append(f"{what}: {describe(error)}")
        with translated("comparing what belongs to the database"):
            found = replace(read_belongings(cursor, target), comment=belongings.comment)
    if not failed and found != belongings:
        failed.append(f"settings, grants or connection limit of {target} are not what they were")
    return tuple(failed)


def give_settings(connection: Connection, target: str, settings: Iterable[DatabaseSetting]) -> SessionSettings:
    """Give a new database the settings that what is restored into it may ask for; what cannot be set is left out.

    A name that the server does not know (`app.tenant`) only a superuser may give to a database; its own session may have it.

    Args:
        connection: In autocommit, to any database of the server.
        target: The new database.
        settings: Those for one role are left out, and so is what would keep everybody from writing.

    Returns:
        Those that the role may not give to a database, and may set in its own sessions.
    """
    own_only = []
    with connection.cursor() as cursor:
        for each in settings:
            if each.role is None and each.name != "default_transaction_read_only":
                is_set = False
                cursor.execute("begin")
                try:
                    for statement, values in _setting(sql.Identifier(target), each):
                        cursor.execute(statement, values or None)
                        is_set = True
                    cursor.execute("commit")
                except psycopg2.Error as error:
                    if connection.closed:
                        raise as_database_error(error, "setting the new database up") from None
                    cursor.execute("rollback")
                    if is_set and fits_session(each.name):
                        own_only.append((each.name, each.value))
    return tuple(own_only)


def _all(target: str, belongings: Belongings, *, resets: bool) -> Iterator[tuple[str, Statements]]:
    database = sql.Identifier(target)
    if resets:
        yield "the settings of the backup", [(sql.SQL("alter database {} reset all").format(database), ())]
    for each in belongings.settings:
        yield f"the setting {each.name}", _setting(database, each)
    if belongings.grants is not None:
        yield "the grants on the database", _grants(database, belongings.grants)
    if belongings.connection_limit != -1:
        limit = sql.Literal(belongings.connection_limit)
        yield "the connection limit", [(sql.SQL("alter database {} connection limit {}").format(database, limit), ())]


def _setting(database: sql.Identifier, each: DatabaseSetting) -> Statements:
    change = sql.SQL("alter database {}").format(database)
    if each.role:
        change = sql.SQL("alter role {} in database {}").format(sql.Identifier(each.role), database)
    # FROM CURRENT takes lists such as search_path as they are, without quoting them a second time.
    keep = sql.SQL("{} set {} from current").format(change, sql.Identifier(*each.name.split(".")))
    return [("select pg_catalog.set_config(%s, %s, true)", (each.name, each.value)), (keep, ())]


def _grants(database: sql.Identifier, grants: tuple[DatabaseGrant, ...]) -> Statements:
    statements: Statements = [(sql.SQL("revoke all on database {} from public").format(database), ())]
    for each in grants:
        words = sql.SQL("grant {} on database {} to {}{}").format(
            PRIVILEGES[each.privilege],
            database,
            sql.Identifier(each.role) if each.role else sql.SQL("public"),
            sql.SQL(" with grant option" if each.is_grantable else ""),
        )
        statements.append((words, ()))
    return statements
