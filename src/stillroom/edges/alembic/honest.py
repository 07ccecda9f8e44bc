"""A step is believed only when its transaction, role, search path and version table are as they were, before it is recorded.

Measured: a stray COMMIT or ROLLBACK in a revision's SQL makes plain Alembic record a step that is not, or only half, there.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg2 import errors, sql

from stillroom.core.sent_sql import find_guarded_indexes
from stillroom.edges.alembic.hooks import OWN_SCHEMA
from stillroom.edges.alembic.seen import DishonestStepError, Seen, look, require_same, require_session
from stillroom.edges.interrupt import Interrupted
from stillroom.edges.postgres.errors import describe
from stillroom.edges.postgres.invalid import find_invalid_indexes, read_invalid
from stillroom.edges.seams import seam

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.edges.alembic.attempt import Attempt
    from stillroom.edges.alembic.entering import Entering

_under_way: list[Attempt] = []


def require_no_step_under_way() -> None:
    """Refuse Alembic that a revision calls: it would wait for the lock that the revision's own run holds.

    Raises:
        DishonestStepError: A revision runs in this process right now.
    """
    for attempt in _under_way:
        # Alembic's own state is gone after this, and what it says then is not what happened.
        attempt.lie = (
            "it runs alembic, which would wait for this run to end: let it depend on the other revision instead"
        )
        raise DishonestStepError(attempt.lie)


def attempt_under_way() -> Attempt:
    """Return the attempt of the revision that runs right now.

    Raises:
        RuntimeError: None does.
    """
    if not _under_way:
        raise RuntimeError("no revision is running: this belongs into upgrade() or downgrade()")
    return _under_way[-1]


def honest(
    function: Callable[..., Any],
    attempt: Attempt,
    raw: PsycopgConnection,
    kept: list[str],
    entering: Entering | None = None,
) -> Callable[..., Any]:
    """Wrap upgrade() or downgrade(): look before and after it, in its transaction, before Alembic records it.

    Args:
        function: The revision's.
        attempt: Its session and token.
        raw: The connection that migrates.
        kept: Tables that must still be the same ones afterwards: the version table and our own; as SQL names them.
        entering: Its row of the ledger; None without one.
    """

    def checked(**options: Any) -> None:
        # Alembic may have begun the first step's transaction before the step was known.
        _begin(raw, attempt)
        before, rows = look(raw, kept), _read_rows(raw, kept[0])
        require_session(before, attempt, "before it began")
        attempt.entering = entering
        attempt.invalid_before = read_invalid(raw)
        attempt.guarded |= find_guarded_indexes(_source_of(function))
        seam("step begun")
        with _deaths_of_threads() as deaths:
            _under_way.append(attempt)
            try:
                _require_run(function(**options))
            finally:
                _under_way.pop()
        if attempt.is_interrupted():
            raise Interrupted("a signal that the step swallowed")
        if attempt.lie:
            raise DishonestStepError(attempt.lie)
        if attempt.journal:
            attempt.journal.require_all_passed()
        after = _look_again(raw, attempt, kept)
        require_same(before, after, attempt, kept)
        if _read_rows(raw, kept[0]) != rows:
            raise DishonestStepError(f"it changed what {kept[0]} holds".replace('"', ""))
        _require_valid_indexes(raw, attempt)
        if deaths:
            raise DishonestStepError(f"a thread of it died of {deaths[0]}")
        if attempt.is_left_running():
            raise DishonestStepError("a thread of it still runs, and may send more: wait for it with join()")
        attempt.end_step()
        if entering:
            entering.enter(raw, attempt)
            attempt.entering = None
        seam("step run, not recorded")

    return checked


def describe_swallowed(attempt: Attempt) -> str:
    """Name the error that the step passed over; what the server said later only repeats that there was one."""
    first = describe(attempt.first_error) if attempt.first_error is not None else "it is not known which"
    return f"it went on after an error of the server: {first}"


def tables_to_keep(migration: MigrationContext, raw: PsycopgConnection) -> list[str]:
    """Name the version table and our own, which no step may drop or replace, as SQL names them."""
    schema, table = migration.version_table_schema, migration.version_table
    name = sql.Identifier(schema, table) if schema else sql.Identifier(table)
    return [
        name.as_string(raw),
        *(f"{OWN_SCHEMA}.{each}" for each in ("mark", "ledger", "journal", "journal_statement")),
    ]


def _source_of(function: Callable[..., Any]) -> str:
    """Read the text of the function: what it sends by a cursor of the driver's own is seen nowhere else."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return ""


def _begin(raw: PsycopgConnection, attempt: Attempt) -> None:
    with raw.cursor() as cursor:
        cursor.execute("select pg_catalog.set_config('stillroom.token', %s, true)", (attempt.token,))
    if attempt.observer:
        attempt.observer.transaction_began(raw)


def _read_rows(raw: PsycopgConnection, version_table: str) -> list[Any]:
    with raw.cursor() as cursor:
        cursor.execute(sql.SQL("select version_num from {} order by 1").format(sql.SQL(version_table)))
        return cursor.fetchall()


def _require_run(returned: object) -> None:
    """Refuse a coroutine or a generator: calling it has run nothing."""
    if inspect.iscoroutine(returned):
        returned.close()
    if inspect.isawaitable(returned) or inspect.isgenerator(returned) or inspect.isasyncgen(returned):
        raise DishonestStepError("it is a coroutine or a generator, so nothing of it ran: write a plain function")


def _look_again(raw: PsycopgConnection, attempt: Attempt, kept: list[str]) -> Seen:
    try:
        seen = look(raw, kept)
    except errors.InFailedSqlTransaction:
        raise DishonestStepError(describe_swallowed(attempt)) from None
    if attempt.observer:
        attempt.observer.transaction_ends(raw)
    return seen


def _require_valid_indexes(raw: PsycopgConnection, attempt: Attempt) -> None:
    invalid = find_invalid_indexes(raw, before=attempt.invalid_before, named=attempt.indexes, guarded=attempt.guarded)
    if invalid:
        raise DishonestStepError(f"index {', '.join(invalid)} is invalid: a build of it failed, now or before")


@contextmanager
def _deaths_of_threads() -> Iterator[list[str]]:
    """Collect what threads died of; Python prints it and goes on."""
    deaths: list[str] = []
    before = threading.excepthook

    def note(args: Any) -> None:
        deaths.append(args.exc_type.__name__)
        sys.excepthook(args.exc_type, args.exc_value, args.exc_traceback)  # which masks secrets

    threading.excepthook = note
    try:
        yield deaths
    finally:
        threading.excepthook = before
