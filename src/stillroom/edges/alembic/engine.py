"""SQLAlchemy on the one connection that holds the lock: limits and token renewed in each transaction, each statement seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg2
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from stillroom.core.sent_sql import find_guarded_indexes, find_indexes, find_transaction_word, is_concurrent
from stillroom.edges.alembic.attempt import Attempt
from stillroom.edges.alembic.retrying import execute
from stillroom.edges.alembic.seen import DishonestStepError
from stillroom.edges.interrupt import Interrupted
from stillroom.edges.postgres.current import pin_search_path
from stillroom.edges.postgres.errors import as_database_error
from stillroom.errors import DatabaseError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection
    from sqlalchemy.engine import Connection

_RENEW = """
select pg_catalog.set_config('lock_timeout', %(lock)s, %(is_local)s), pg_catalog.set_config('statement_timeout', %(statement)s, %(is_local)s),
       pg_catalog.set_config('search_path', %(path)s, %(is_local)s), pg_catalog.set_config('stillroom.token', %(token)s, %(is_local)s)
"""


def make_engine(connection: PsycopgConnection, attempt: Attempt) -> Engine:
    """Wrap an open psycopg2 connection.

    Nothing may be open on it: Alembic would take the transaction for someone else's and never commit.
    """
    connection.autocommit = False
    engine = create_engine(
        "postgresql+psycopg2://", creator=lambda: connection, poolclass=StaticPool, hide_parameters=True
    )
    event.listen(engine, "begin", lambda sa_connection: _renew(sa_connection, attempt))
    event.listen(engine, "commit", lambda sa_connection: _note_commit(sa_connection, attempt))
    event.listen(engine, "rollback", lambda _: attempt.transaction_rolled_back())
    event.listen(engine, "before_cursor_execute", lambda *args: _before(args[1], args[2], attempt))
    event.listen(
        engine, "after_cursor_execute", lambda *args: _after(args[1], args[2], args[3], attempt, is_many=args[5])
    )
    event.listen(engine, "handle_error", lambda context: _note_error(context, attempt))
    event.listen(engine, "do_execute", lambda *args: execute(args[0], args[1], [args[2]], attempt))
    event.listen(engine, "do_executemany", lambda *args: execute(args[0], args[1], args[2], attempt))
    return engine


def _raw(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _renew(connection: Connection, attempt: Attempt) -> None:
    """Set limits, search path and token for the transaction that begins (an autocommit block ends the one before)."""
    raw = _raw(connection)
    attempt.transaction_began(is_autocommit=raw.autocommit)
    with raw.cursor() as cursor:
        if attempt.session is None:
            # For the transaction only: behind a transaction pooler the session is everybody's.
            pin_search_path(cursor, attempt.search_path, is_local=not raw.autocommit)
            lock = (f"{attempt.lock_timeout_ms}ms", not raw.autocommit)
            cursor.execute("select pg_catalog.set_config('lock_timeout', %s, %s)", lock)
            return
        values = {
            "lock": f"{attempt.lock_timeout_ms}ms",
            "statement": f"{attempt.statement_timeout_ms}ms",
            "path": attempt.session.search_path,
            # Outside of a transaction it would stay, and prove nothing afterwards.
            "token": "" if raw.autocommit else attempt.token,
            "is_local": not raw.autocommit,
        }
        cursor.execute(_RENEW, values)
    if attempt.running_observer:
        attempt.running_observer.transaction_began(raw)


def _note_commit(connection: Connection, attempt: Attempt) -> None:
    raw = _raw(connection)
    if attempt.running_journal and not raw.autocommit:
        with raw.cursor() as cursor:
            attempt.running_journal.commits(cursor)
    if attempt.running_observer:
        attempt.running_observer.transaction_ends(raw)
    attempt.transaction_commits(is_autocommit=raw.autocommit)


def _note_error(context: Any, attempt: Attempt) -> None:
    if attempt.watch:
        attempt.watch.statement_ended()
    if attempt.observer:
        attempt.observer.statement_failed()
    if isinstance(context.original_exception, Interrupted):
        # The statement was cancelled and the session is whole: what it left behind is looked for on it.
        context.is_disconnect = False
    if attempt.first_error is None and isinstance(context.original_exception, psycopg2.Error):
        attempt.first_error = context.original_exception
    if context.connection is not None and context.statement is not None:
        with suppress(psycopg2.Error):  # the session may be gone
            _bound_waits_again(_raw(context.connection), context.statement, attempt)


def _before(cursor: Any, statement: str, attempt: Attempt) -> None:
    """Refuse what would end the step's transaction; let a concurrent build wait: it blocks nobody.

    Raises:
        DishonestStepError: The statement is COMMIT, ROLLBACK, BEGIN or another word for them, or not this step's.
    """
    attempt.statement_begins()
    if attempt.session is not None:
        word = find_transaction_word(statement)
        if word:
            attempt.lie = attempt.lie or f"its SQL says {word}, and a step is one transaction"
        if attempt.lie:
            raise DishonestStepError(attempt.lie)
        attempt.indexes |= find_indexes(statement)
        attempt.guarded |= find_guarded_indexes(statement)
    if cursor.connection.autocommit and is_concurrent(statement):
        # A timeout would leave an invalid index.
        with cursor.connection.cursor() as own:
            own.execute("set lock_timeout = 0")
    if attempt.watch:
        attempt.watch.statement_began()
    if attempt.running_observer:
        attempt.running_observer.statement_begins(cursor.connection, statement)


def _after(cursor: Any, statement: str, parameters: Any, attempt: Attempt, *, is_many: bool) -> None:
    attempt.statement_ended(statement)
    if attempt.running_observer:
        attempt.running_observer.statement_ended(cursor.connection, cursor.rowcount)
    if attempt.running_journal:
        sets = parameters if is_many else [parameters]
        attempt.running_journal.note(cursor, statement, sets, is_autocommit=cursor.connection.autocommit)
    if attempt.watch:
        attempt.watch.statement_ended()
    _bound_waits_again(cursor.connection, statement, attempt)


def _bound_waits_again(raw: Any, statement: str, attempt: Attempt) -> None:
    """Take back what `_before` set for a concurrent build, also when it failed and the revision goes on."""
    if raw.autocommit and is_concurrent(statement):
        with raw.cursor() as own:
            own.execute("select pg_catalog.set_config('lock_timeout', %s, false)", (f"{attempt.lock_timeout_ms}ms",))


@contextmanager
def translated_from_sqlalchemy() -> Iterator[None]:
    """Turn SQLAlchemy's wrapping of a server's error, and a step that lied, into ours.

    Raises:
        DatabaseError: What the server said, or what the step did.
    """
    try:
        yield
    except DishonestStepError as error:
        raise DatabaseError(
            f"the revision failed: {error}; nothing of it was recorded", hint="correct the revision, then run it again"
        ) from None
    except psycopg2.Error as error:
        raise as_database_error(error, "the server refused") from None
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg2.Error):
            raise
        raise as_database_error(error.orig, "the server refused") from None
