"""The version table, written without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

from stillroom.edges.postgres.errors import translated
from stillroom.edges.seams import seam

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


def write_revisions(connection: Connection, *, schema: str, table: str, revisions: tuple[str, ...]) -> None:
    """Make the version table hold exactly these revisions, in one transaction.

    Args:
        connection: In autocommit; it holds the migration lock.
        schema: Where the table is, or will be.
        table: Its name; made as Alembic makes it when it is not there.
        revisions: What it shall hold; none for base.

    Raises:
        DatabaseError: The server refused; nothing was changed.
    """
    name = sql.Identifier(schema, table)
    with translated("writing the version table"), connection.cursor() as cursor:
        cursor.execute("begin")
        try:
            # Asked first: `if not exists` still needs the right to create.
            cursor.execute("select pg_catalog.to_regclass(%s) is null", (name.as_string(cursor),))
            if cursor.fetchone() == (True,):
                made = "create table {} (version_num varchar(32) not null, constraint {} primary key (version_num))"
                cursor.execute(sql.SQL(made).format(name, sql.Identifier(f"{table}_pkc")))
            cursor.execute(sql.SQL("delete from {}").format(name))
            for each in revisions:
                # A literal, not a parameter: beside one, psycopg2 reads a `%` in the name as a place for a value.
                cursor.execute(sql.SQL("insert into {} (version_num) values ({})").format(name, sql.Literal(each)))
            seam("version table written")
            cursor.execute("commit")
            seam("version table committed")
        except BaseException:
            if not connection.closed:
                cursor.execute("rollback")
            raise
