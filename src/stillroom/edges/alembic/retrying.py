"""What is tried again when another session was in the way: a step as a whole, or one statement of an autocommit block."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg2

from stillroom.core.limits import grown_lock_timeout_ms, pause_s
from stillroom.core.sent_sql import is_concurrent
from stillroom.edges.postgres.errors import describe

if TYPE_CHECKING:
    from stillroom.edges.alembic.attempt import Attempt

RETRIED = {"55P03": "lock timeout", "40P01": "deadlock", "40001": "serialization failure"}


def execute_alone(cursor: Any, statement: str, sets: Sequence[Any], attempt: Attempt) -> bool:
    """Run a statement of an autocommit block, again and again while another session is in the way.

    It is a transaction of its own, so that a failed try has left nothing; a concurrent build has, and is not repeated.

    Args:
        cursor: The driver's.
        statement: As SQLAlchemy would send it.
        sets: Its parameters, once for each time it is to be run.
        attempt: Of the step.

    Returns:
        False where SQLAlchemy shall run it: inside a transaction, where the whole step is tried again instead.

    Raises:
        psycopg2.Error: What the server said to the last try.
    """
    if not cursor.connection.autocommit or attempt.session is None or is_concurrent(statement):
        return False
    for parameters in sets:
        _execute(cursor, statement, parameters, attempt)
    return True


def _execute(cursor: Any, statement: str, parameters: Any, attempt: Attempt) -> None:
    for number in range(attempt.lock_tries):
        try:
            cursor.execute(statement, parameters)
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
