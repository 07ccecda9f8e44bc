"""How many rows stand against a constraint that the server refused, counted where that is quick and its words say enough."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import sql

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

COUNTS_FOR_MS = 5_000
_KEY = re.compile(r"\((.+?)\)=\(", re.DOTALL)
_CHECK = re.compile(r"\bcheck\s*(?=\()", re.IGNORECASE)
_FOREIGN = re.compile(r"\bforeign\s+key\s*(\([^)]*\))\s*references\s+([\w.\"]+)\s*(\([^)]*\))", re.IGNORECASE)


def count_violations(connection: Connection, error: psycopg2.Error, statement: str) -> int | None:
    """Count the rows of the table that violate what was to hold; None where that cannot be told.

    Args:
        connection: In autocommit, to the database as it was before the step; only read from.
        error: What the server said to the statement.
        statement: As it was sent.
    """
    query = _query(error, statement)
    if query is None or error.diag.table_name is None:
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute("begin read only")
            try:
                cursor.execute(
                    "select pg_catalog.set_config('statement_timeout', %s, true), pg_catalog.set_config('search_path', %s, true)",
                    (f"{COUNTS_FOR_MS}ms", sql.Identifier(error.diag.schema_name or "public").as_string(cursor)),
                )
                cursor.execute(query)
                row = cursor.fetchone()
            finally:
                if not connection.closed:
                    cursor.execute("rollback")
    except psycopg2.Error:
        # The step itself may have made the column; or it takes too long.
        return None
    return int(row[0]) if row and row[0] else None


def _query(error: psycopg2.Error, statement: str) -> sql.Composed | None:
    diag = error.diag
    table = sql.Identifier(diag.schema_name or "public", diag.table_name or "")
    count = sql.SQL("select pg_catalog.count(*) from {}").format(table)
    if error.pgcode == "23502" and diag.column_name:
        return count + sql.SQL(" where {} is null").format(sql.Identifier(diag.column_name))
    if error.pgcode == "23505" and (key := _KEY.search(diag.message_detail or "")):
        # The server's own words: the columns or expressions of the index.
        grouped = sql.SQL("select pg_catalog.count(*) as n from {} group by {} having pg_catalog.count(*) > 1::bigint")
        return sql.SQL("select pg_catalog.sum(g.n) from ({}) as g").format(grouped.format(table, sql.SQL(key.group(1))))
    if error.pgcode == "23514" and (found := _CHECK.search(statement)):
        # The revision's own words, which it has sent a moment ago itself.
        return count + sql.SQL(" where not ({})").format(sql.SQL(_in_brackets(statement[found.end() :])))
    if error.pgcode == "23503" and (foreign := _FOREIGN.search(statement)):
        ours, theirs, key_there = (sql.SQL(each) for each in foreign.groups())
        return count + sql.SQL(" where ({}) is not null and {} not in (select {} from {})").format(
            ours, ours, _bare(key_there), theirs
        )
    return None


def _bare(brackets: sql.SQL) -> sql.SQL:
    return sql.SQL(brackets.string.strip("()"))


def _in_brackets(text: str) -> str:
    """Take what stands in the brackets that the text begins with."""
    depth = 0
    for place, mark in enumerate(text):
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if not depth:
            return text[1:place]
    return text[1:]
