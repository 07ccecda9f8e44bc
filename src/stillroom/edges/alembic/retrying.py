"""What is tried again when another session was in the way: a step as a whole, or one statement of an autocommit block."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import errors

from stillroom.core.limits import grown_lock_timeout_ms, pause_s
from stillroom.core.sent_sql import is_concurrent
from stillroom.edges.postgres.errors import describe

if TYPE_CHECKING:
    from stillroom.edges.alembic.attempt import Attempt
    from stillroom.edges.alembic.journal import Journal

RETRIED = {"55P03": "lock timeout", "40P01": "deadlock", "40001": "serialization failure"}


def execute(cursor: Any, statement: str, sets: Sequence[Any], attempt: Attempt) -> bool:
    """Run a statement of an autocommit block, again and again while another session is in the way.

    It is a transaction of its own, so that a failed try has left nothing; a concurrent build has, and is not repeated. With a
    journal, its row there is written in that transaction, so that both are done or neither is.

    Args:
        cursor: The driver's.
        statement: As SQLAlchemy would send it.
        sets: Its parameters, once for each time it is to be run.
        attempt: Of the step.

    Returns:
        False where SQLAlchemy shall run it: inside a transaction, where the whole step is tried again instead. True where it
        was run here, or was done by an earlier try and is passed over.

    Raises:
        psycopg2.Error: What the server said to the last try.
        DishonestStepError: The step does not send what an earlier try has done.
    """
    journal = attempt.running_journal
    if journal and journal.passes_over(statement, sets):
        return True
    if not cursor.connection.autocommit or attempt.session is None:
        return False
    is_alone = is_concurrent(statement)
    if journal:
        with cursor.connection.cursor() as own:
            journal.begin(own, statement, sets, is_alone=is_alone)
    if is_alone:
        return False
    if journal is None:
        for parameters in sets:
            retried(lambda parameters=parameters: cursor.execute(statement, parameters), cursor, attempt)  # type: ignore[misc]
        return True
    try:
        retried(lambda: _within(cursor, statement, sets, journal), cursor, attempt)
    except (errors.ActiveSqlTransaction, errors.InvalidTransactionTermination):
        # VACUUM and the like run outside of any transaction; a procedure may commit by itself.
        with cursor.connection.cursor() as own:
            journal.begin(own, statement, sets, is_alone=True)
        for parameters in sets:
            cursor.execute(statement, parameters)
    return True


def _within(cursor: Any, statement: str, sets: Sequence[Any], journal: Journal) -> None:
    """Run it in a transaction together with its row in the journal."""
    with cursor.connection.cursor() as own:
        own.execute("begin")
        try:
            for parameters in sets:
                cursor.execute(statement, parameters)
            journal.end_within(own)
            own.execute("commit")
        except BaseException:
            if not cursor.connection.closed:
                own.execute("rollback")
            raise


def retried(run: Callable[[], None], cursor: Any, attempt: Attempt) -> None:
    """Run what is a transaction of its own, again while another session is in the way.

    Args:
        run: Leaves nothing behind when it raises.
        cursor: Of the connection.
        attempt: Of the step.

    Raises:
        psycopg2.Error: What the server said to the last try.
    """
    for number in range(attempt.lock_tries):
        try:
            run()
        except psycopg2.Error as error:
            if error.pgcode not in RETRIED or number + 1 == attempt.lock_tries:
                raise
            wait_for_turn("a statement", describe(error), number, attempt)
            with cursor.connection.cursor() as own:
                timeout = f"{grown_lock_timeout_ms(attempt.lock_timeout_ms, number + 1)}ms"
                own.execute("select pg_catalog.set_config('lock_timeout', %s, false)", (timeout,))
        else:
            return


def wait_for_turn(what: str, said: str, number: int, attempt: Attempt) -> None:
    """Say why it is tried again, and pause.

    Args:
        what: The revision, or the statement.
        said: The server's words.
        number: 0 after the first try.
    """
    pause = pause_s(number, random.random())  # noqa: S311  (spreads concurrent runs)
    attempt.say(f"  {what}: {said}; trying again in {pause:.1f} s")
    time.sleep(pause)
