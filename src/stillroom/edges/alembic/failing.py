"""What is said when a step does not end well: what is applied, what failed, what is untouched, and what to type next."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import psycopg2
from sqlalchemy.exc import DBAPIError

from stillroom.edges.alembic.config import refused_import
from stillroom.edges.alembic.honest import describe_swallowed
from stillroom.edges.alembic.seen import DishonestStepError
from stillroom.edges.postgres.current import is_lost
from stillroom.edges.postgres.errors import describe, describe_with_data, hint_for
from stillroom.edges.postgres.invalid import find_invalid_indexes
from stillroom.errors import ConnectionLostError, DatabaseError, InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from stillroom.edges.alembic.steps import StepRun

ALREADY_THERE = {"42P07", "42710", "42701"}
SWALLOWED = "25P02"
PARTLY = "undo by hand what was committed, or make the revision repeatable; then run the same command again"
RESUME = "`invoke migrate --resume` goes on after what was done, once what stopped it is mended; settled by hand: `--resume --as applied`, or `undone`"


def step_failed(run: StepRun, error: BaseException, *, is_interrupted: bool) -> StillroomError:
    """Say all three: what is applied, what failed, what is untouched."""
    if run.attempt.lie and not isinstance(error, DishonestStepError):
        error = DishonestStepError(run.attempt.lie)  # what came after it, came of it
    counts, left = run.counts, len(run.plan.steps) - len(run.done) - 1
    state = _state_of(run, error)
    if is_interrupted:
        where = (
            f"in {run.running}: {state}"
            if run.running
            else "between two revisions"
            if run.done
            else "before the first revision"
        )
        invalid = _find_invalid(run)
        again = "run the same command again to go on; `invoke status` shows the state"
        return InterruptedRunError(
            f"interrupted {where}{_left(invalid)}; {counts}",
            hint=_drop(invalid, run) if invalid else _partly(run) if run.attempt.has_committed else again,
        )
    if is_lost(run.connection):
        return ConnectionLostError(
            f"{run.running or 'the version table'}: {said(error)}",
            hint="`invoke status` shows where the database stands",
        )
    if not run.running and server_error(error) is None:
        return refused_import(error)
    invalid = _find_invalid(run)
    hint = _hint(run, error, invalid)
    what = f"{run.running or 'the version table'} failed{_place(error, run)}"
    built = "" if isinstance(error, DishonestStepError) else _left(invalid)
    is_swallowed = code_of(error) == SWALLOWED and run.attempt.first_error is not None
    text = describe_swallowed(run.attempt) if is_swallowed else said(error, shows_data=run.shows_data)
    return DatabaseError(f"{what}: {text}{built}; {state}; {counts}, {left} not tried", hint=hint)


def _state_of(run: StepRun, error: BaseException) -> str:
    if not run.attempt.has_committed:
        return "it was rolled back"
    if isinstance(error, DishonestStepError):
        return "part of it may have been committed"
    return "part of it was committed by an autocommit block"


def _hint(run: StepRun, error: BaseException, invalid: tuple[str, ...]) -> str:
    code = code_of(error)
    if invalid:
        return _drop(invalid, run)
    known = hint_for(found) if (found := server_error(error)) else ""
    if run.attempt.has_committed:
        return f"{known}; {_partly(run)}" if known else _partly(run)
    if code in ALREADY_THERE and not run.plan.starts_at:
        return (
            "the schema may be there already, and only the version missing: `invoke stamp head` compares and writes it"
        )
    return known or "correct the revision, then run the same command again"


def _left(invalid: tuple[str, ...]) -> str:
    return f"; it left the invalid index {', '.join(invalid)}" if invalid else ""


def _partly(run: StepRun) -> str:
    journal = run.attempt.journal
    return RESUME if journal is not None and journal.id is not None else PARTLY


def _drop(invalid: tuple[str, ...], run: StepRun) -> str:
    """Say how to get rid of the index: with a journal, going on does that for the one that the step was building."""
    journal = run.attempt.journal
    drops = " ".join(f"DROP INDEX CONCURRENTLY {each};" for each in invalid)
    if journal is not None and journal.id is not None:
        return f"correct what made it fail, then `invoke migrate --resume` drops it and builds it again (by hand: `{drops}`)"
    return f"`{drops}`, correct what made it fail, then run the same command again"


def server_error(error: BaseException) -> psycopg2.Error | None:
    """Take the driver's error out of SQLAlchemy's; one that a cursor of the driver's own raised is not wrapped."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    return inner if isinstance(inner, psycopg2.Error) else None


def code_of(error: BaseException) -> str:
    """Read the SQLSTATE of an error; empty for one that is not the server's."""
    return getattr(server_error(error), "pgcode", None) or ""


def _find_invalid(run: StepRun) -> tuple[str, ...]:
    """Look for what a failed concurrent build left; the connection has been rolled back by now."""
    try:
        return find_invalid_indexes(
            run.connection, before=run.attempt.invalid_before, named=run.attempt.indexes, guarded=run.attempt.guarded
        )
    except psycopg2.Error:
        return ()


def _place(error: BaseException, run: StepRun) -> str:
    """Name the line of the revision's file that was running."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [each.lineno for each in frames if run.file and each.filename == run.file]
    return f" at line {lines[-1]}" if lines else ""


def said(error: BaseException, *, shows_data: bool = False) -> str:
    """Put an error into one line, without rows and parameters unless they are asked for."""
    driver_error = server_error(error)
    if driver_error is not None:
        return describe_with_data(driver_error) if shows_data else describe(driver_error)
    if isinstance(error, DishonestStepError):
        return str(error)
    if isinstance(error, SystemExit):
        return f"the revision left the process (SystemExit: {error.code})"
    if isinstance(error, AssertionError) and _frames(error)[-1:] == ["autocommit_block"]:
        return "an autocommit_block inside another one, which Alembic does not have"
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def _frames(error: BaseException) -> list[str]:
    return [each.name for each in traceback.extract_tb(error.__traceback__)]
