"""Run a plan's revisions on the connection that holds the lock, one transaction each, each one reported."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from sqlalchemy.exc import DBAPIError

from stillroom.core.limits import Limits, lock_timeout_ms, pause_s
from stillroom.edges.alembic.config import load_scripts, make_config, refused_import
from stillroom.edges.alembic.engine import Attempt, make_engine
from stillroom.edges.alembic.hooks import configure_options
from stillroom.edges.interrupt import cancelling
from stillroom.edges.postgres.errors import HINTS, describe
from stillroom.errors import DatabaseError, InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.core.layout import Layout
    from stillroom.core.plan import Plan

RETRIED = {"55P03", "40P01", "40001"}
ALREADY_THERE = {"42P07", "42710", "42701"}
PARTLY = "undo by hand what was committed, or make the revision repeatable; then run the same command again"


@dataclass(frozen=True)
class Applied:
    """One revision that ran, and how long it took."""

    revision: str
    message: str
    seconds: float


@dataclass
class StepRun:
    """One run of a plan through the project's env.py.

    Args:
        connection: Holds the migration lock; nothing is open on it.
        plan: What to run; made under the lock.
        limits: Timeouts and tries.
        say: Told each revision with its seconds.
    """

    connection: PsycopgConnection
    plan: Plan
    limits: Limits
    say: Callable[[str], None]
    done: list[Applied] = field(default_factory=list)
    attempt: Attempt = field(init=False)
    running: str = ""

    def __post_init__(self) -> None:
        self.attempt = Attempt(self.limits.lock_timeout_ms)

    def steps(self, scripts: Any) -> Iterator[RevisionStep]:
        """Yield what is left of the plan; Alembic has committed a step when it asks for the next one."""
        make = (
            MigrationStep.upgrade_from_script
            if self.plan.direction == "upgrade"
            else MigrationStep.downgrade_from_script
        )
        for revision in self.plan.steps[len(self.done) :]:
            script = scripts.get_revision(revision)
            self.running, self.attempt.has_committed = revision, False
            started = time.monotonic()
            yield make(scripts.revision_map, script)
            self._finish(script, time.monotonic() - started)

    def _finish(self, script: Any, seconds: float) -> None:
        message = (script.doc or "").split("\n")[0]
        self.done.append(Applied(script.revision, message, seconds))
        sign = "+" if self.plan.direction == "upgrade" else "-"
        self.say(f"  {sign} {script.revision}  {message}  {seconds:.2f} s")

    def run(self, context: Any, metadata: Any, options: dict[str, Any]) -> None:
        """Be called by `stillroom.env.run` in the project's env.py."""
        engine = make_engine(self.connection, self.attempt)
        with engine.connect() as connection:
            context.configure(connection=connection, target_metadata=metadata, **configure_options(options))
            migration: MigrationContext = context.get_context()
            for attempt in range(self.limits.lock_tries):
                self.attempt.lock_timeout_ms = lock_timeout_ms(self.limits, attempt)
                try:
                    with context.begin_transaction():
                        context.run_migrations()
                except DBAPIError as error:
                    if not self._may_retry(error, attempt):
                        raise
                    migration.connection = connection
                    self._wait(error, attempt)
                else:
                    return

    def _may_retry(self, error: DBAPIError, attempt: int) -> bool:
        is_retried = getattr(error.orig, "pgcode", None) in RETRIED
        return (
            is_retried
            and not self.attempt.has_committed
            and not self.connection.closed
            and attempt + 1 < self.limits.lock_tries
        )

    def _wait(self, error: DBAPIError, attempt: int) -> None:
        pause = pause_s(attempt, random.random())  # noqa: S311  (spreads concurrent runs)
        self.say(f"  {self.running or 'the version table'}: {_said(error)}; trying again in {pause:.1f} s")
        time.sleep(pause)


def run_steps(run: StepRun, layout: Layout) -> tuple[Applied, ...]:
    """Run the plan.

    Raises:
        RefusedError: A revision does not import, or lies outside the history Alembic reads.
        DatabaseError: A step failed; it was rolled back, the earlier ones stay.
        InterruptedRunError: A signal; the step was cancelled and rolled back.
    """
    config = make_config(layout, run)
    scripts = load_scripts(config)
    with cancelling(run.connection) as flag:
        try:
            with EnvironmentContext(config, scripts, fn=lambda *_: run.steps(scripts)):
                scripts.run_env()
        except StillroomError:
            raise
        except BaseException as error:
            raise _failed(run, error, is_interrupted=flag.is_set) from None
    return tuple(run.done)


def _failed(run: StepRun, error: BaseException, *, is_interrupted: bool) -> StillroomError:
    """Say all three: what is applied, what failed, what is untouched."""
    left = len(run.plan.steps) - len(run.done) - 1
    word = "applied" if run.plan.direction == "upgrade" else "undone"
    counts = f"{len(run.done)} of {len(run.plan.steps)} {word}"
    state = "part of it was committed by an autocommit block" if run.attempt.has_committed else "it was rolled back"
    if is_interrupted:
        where = f"in {run.running}: {state}" if run.running else "before the first revision"
        return InterruptedRunError(
            f"interrupted {where}; {counts}",
            hint=PARTLY
            if run.attempt.has_committed
            else "run the same command again to go on; `invoke status` shows the state",
        )
    if not run.running and not isinstance(error, DBAPIError):
        return refused_import(error)
    code = getattr(getattr(error, "orig", None), "pgcode", None) or ""
    hint = HINTS.get(code, "correct the revision, then run the same command again")
    if run.attempt.has_committed:
        hint = PARTLY
    elif code in ALREADY_THERE and not run.plan.starts_at:
        hint = (
            "the schema may be there already, and only the version missing: `invoke stamp head` compares and writes it"
        )
    return DatabaseError(
        f"{run.running or 'the version table'} failed: {_said(error)}; {state}; {counts}, {left} not tried", hint=hint
    )


def _said(error: BaseException) -> str:
    if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg2.Error):
        return describe(error.orig)
    if isinstance(error, SystemExit):
        return f"the revision left the process (SystemExit: {error.code})"
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
