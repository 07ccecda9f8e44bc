"""What belongs to a database and is in no dump of it: settings, the comment, who may connect, how many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql

from stillroom.edges.postgres.errors import as_database_error, describe, translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

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


def carry_over(connection: Connection, source: str, target: str) -> tuple[str, ...]:
    """Give one database what belongs to another.

    Args:
        connection: In autocommit, to any database of the server.
        source: The database that has it.
        target: The database that gets it.

    Returns:
        What could not be carried over, in words; the role may lack the right.

    Raises:
        DatabaseError: The server failed.
    """
    failed = []
    with connection.cursor() as cursor:
        for what, statements in [*_settings(cursor, source, target), *_rights(cursor, source, target)]:
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
    return tuple(failed)


Statements = list[tuple[Any, tuple[Any, ...]]]


def _settings(cursor: Cursor, source: str, target: str) -> Iterator[tuple[str, Statements]]:
    with translated("reading the database's settings"):
        cursor.execute(SETTINGS, (source,))
        rows = cursor.fetchall()
    database = sql.Identifier(target)
    for role, name, value in rows:
        change = sql.SQL("alter database {}").format(database)
        if role:
            change = sql.SQL("alter role {} in database {}").format(sql.Identifier(role), database)
        # FROM CURRENT takes lists such as search_path as they are, without quoting them a second time.
        setting = sql.Identifier(*name.split("."))
        keep = sql.SQL("{} set {} from current").format(change, setting)
        yield f"the setting {name}", [("select pg_catalog.set_config(%s, %s, true)", (name, value)), (keep, ())]


def _rights(cursor: Cursor, source: str, target: str) -> Iterator[tuple[str, Statements]]:
    with translated("reading the database's rights"):
        cursor.execute(
            """select datacl is not null, datconnlimit, pg_catalog.shobj_description(oid, 'pg_database')
               from pg_database where datname = %s""",
            (source,),
        )
        has_grants, limit, comment = cursor.fetchone() or (False, -1, None)
        cursor.execute(GRANTS, (source,))
        grants = cursor.fetchall()
    database = sql.Identifier(target)
    if has_grants:
        statements: Statements = [(sql.SQL("revoke all on database {} from public").format(database), ())]
        for role, privilege, is_grantable in grants:
            words = sql.SQL("grant {} on database {} to {}{}").format(
                sql.SQL(privilege),
                database,
                sql.Identifier(role) if role else sql.SQL("public"),
                sql.SQL(" with grant option" if is_grantable else ""),
            )
            statements.append((words, ()))
        yield "the grants on the database", statements
    if limit != -1:
        change = sql.SQL("alter database {} connection limit {}").format(database, sql.Literal(limit))
        yield "the connection limit", [(change, ())]
    text = sql.SQL("comment on database {} is {}").format(database, sql.Literal(comment))
    yield "the comment", [(text, ())]
