"""Every statement of a connection shown before it is sent, also those that a revision sends by a cursor of the driver's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.sql import Composable

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


@contextmanager
def shown_before(connection: Connection, look: Callable[[str], None]) -> Iterator[None]:
    """Call look with each statement, as long as the block lasts; what it raises keeps the statement from being sent.

    Args:
        connection: Its cursors that are made meanwhile are looked at.
        look: Given the text, without the parameters.
    """

    class Looking(Cursor):
        """A cursor that shows what it is about to send."""

        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002  (the driver's name)
            look(_text(query, self))
            super().execute(query, vars)

        def executemany(self, query: Any, vars_list: Any) -> None:
            look(_text(query, self))
            super().executemany(query, vars_list)

        def callproc(self, procname: Any, parameters: Any = ()) -> None:
            look(f"select {procname}()")
            super().callproc(procname, parameters)

        def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
            look(_text(sql, self))
            super().copy_expert(sql, file, size)

    before = connection.cursor_factory
    connection.cursor_factory = Looking
    try:
        yield
    finally:
        connection.cursor_factory = before


def _text(query: Any, cursor: Cursor) -> str:
    if isinstance(query, Composable):
        return query.as_string(cursor)
    return query.decode("utf-8", "replace") if isinstance(query, bytes) else str(query)
