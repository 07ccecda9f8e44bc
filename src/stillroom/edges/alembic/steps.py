"""Run a plan's revisions on the connection that holds the lock, one transaction each, each one looked at and reported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg2
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep, RevisionStep
from sqlalchemy.exc import DBAPIError

from stillroom.core.applied import Applied
from stillroom.core.limits import Limits, grown_lock_timeout_ms
from stillroom.edges.alembic.attempt import Attempt
from stillroom.edges.alembic.config import load_scripts, make_config
from stillroom.edges.alembic.engine import make_engine
from stillroom.edges.alembic.entering import Entering
from stillroom.edges.alembic.failing import code_of, said, step_failed
from stillroom.edges.alembic.honest import honest, tables_to_keep
from stillroom.edges.alembic.hooks import configure_options
from stillroom.edges.alembic.journal import Journal
from stillroom.edges.alembic.retrying import RETRIED, wait_for_turn
from stillroom.edges.interrupt import Interrupted, cancelling
from stillroom.edges.postgres.kept_settings import put_settings_back
from stillroom.edges.seams import seam
from stillroom.errors import InterruptedRunError, StillroomError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.core.journal import OpenStep
    from stillroom.core.layout import Layout
    from stillroom.core.ledger.entries import Entry
    from stillroom.core.plan import Plan
    from stillroom.edges.postgres.ledger import Ledger
    from stillroom.edges.postgres.waiting import Watch


@dataclass
class StepRun:
    """One run of a plan through the project's env.py.

    Args:
        connection: Holds the migration lock; nothing is open on it.
        plan: What to run; made under the lock.
        limits: Timeouts and tries.
        say: Told each revision with its seconds.
        pulse: Called at each statement: the sign of life that the parent process waits for.
        watch: Names who makes a statement wait.
        shows_data: Errors may show rows and parameters.
        ledger: Where each step is entered; None without one.
        resumed: The step that was cut short, and is gone on with.
    """

    connection: PsycopgConnection
    plan: Plan
    limits: Limits
    say: Callable[[str], None]
    pulse: Callable[[], None] = field(default=lambda: None)
    watch: Watch | None = None
    shows_data: bool = False
    ledger: Ledger | None = None
    resumed: OpenStep | None = None
    done: list[Applied] = field(default_factory=list)
    attempt: Attempt = field(init=False)
    running: str = ""
    file: str = ""
    sqlstate: str = ""
    entering: Entering | None = None
    _kept: list[str] = field(default_factory=list)
    _started: float = 0.0

    def __post_init__(self) -> None:
        self.attempt = Attempt.on(self.connection, self.limits, self.say)
        self.attempt.pulse, self.attempt.watch = self.pulse, self.watch

    @property
    def counts(self) -> str:
        """Say how many are done of how many."""
        word = "applied" if self.plan.direction == "upgrade" else "undone"
        return f"{len(self.done)} of {len(self.plan.steps)} {word}"

    def steps(self, scripts: Any) -> Iterator[RevisionStep]:
        """Yield what is left of the plan; Alembic has committed a step when it asks for the next one."""
        make = (
            MigrationStep.upgrade_from_script
            if self.plan.direction == "upgrade"
            else MigrationStep.downgrade_from_script
        )
        for revision in self.plan.steps[len(self.done) :]:
            if self.attempt.is_interrupted():
                raise Interrupted("a signal that came between two steps")
            script = scripts.get_revision(revision)
            self.running, self.file = revision, script.module.__file__ or ""
            put_settings_back(self.connection, self.attempt.settings)
            self.attempt.journal = self._journal_of(revision)
            self.attempt.start_step()
            self.pulse()
            self._started = time.monotonic()
            if self.ledger:
                self.entering = Entering(self.ledger, script, self.plan.direction, datetime.now(UTC))
            step = make(scripts.revision_map, script)
            step.migration_fn = honest(step.migration_fn, self.attempt, self.connection, self._kept, self.entering)
            yield step
            seam("step committed")
            self.confirm((script.doc or "").split("\n")[0])

    def _journal_of(self, revision: str) -> Journal | None:
        """Begin the journal of a step, or go on with the one of the step that was cut short."""
        if self.ledger is None:
            return None
        if self.resumed and self.resumed.revision == revision:
            return Journal.resuming(self.ledger.facts, self.resumed)
        return Journal(self.ledger.facts, revision, self.plan.direction)

    def confirm(self, message: str) -> None:
        """Enter the running step as committed, and say it."""
        revision, seconds = self.running, time.monotonic() - self._started
        self.done.append(Applied(revision, message, seconds))
        self.running, self.entering = "", None
        if self.attempt.observer:
            self.attempt.observer.step_committed(revision, message, seconds)
        sign = "+" if self.plan.direction == "upgrade" else "-"
        self.say(f"  {sign} {revision}  {message}  {seconds:.2f} s")

    def failed_entries(self, error: StillroomError) -> tuple[Entry, ...]:
        """Make the row of the step that did not end well; none when none was under way."""
        if self.entering is None:
            return ()
        outcome = "interrupted" if isinstance(error, InterruptedRunError) else "failed"
        return (self.entering.entry(outcome, self.attempt, sqlstate=self.sqlstate),)

    def run(self, context: Any, metadata: Any, options: dict[str, Any]) -> None:
        """Be called by `stillroom.env.run` in the project's env.py."""
        engine = make_engine(self.connection, self.attempt)
        with engine.connect() as connection:
            context.configure(connection=connection, target_metadata=metadata, **configure_options(options))
            migration: MigrationContext = context.get_context()
            self._kept = tables_to_keep(migration, self.connection)
            for attempt in range(self.limits.lock_tries):
                self.attempt.lock_timeout_ms = grown_lock_timeout_ms(self.limits.lock_timeout_ms, attempt)
                try:
                    with context.begin_transaction():
                        context.run_migrations()
                except (DBAPIError, psycopg2.Error) as error:
                    if not self._may_retry(error, attempt):
                        raise
                    migration.connection = connection
                    self._wait(error, attempt)
                else:
                    return

    def _may_retry(self, error: Exception, attempt: int) -> bool:
        is_retried = code_of(error) in RETRIED
        return (
            is_retried
            and not self.attempt.has_committed
            and not self.connection.closed
            and attempt + 1 < self.limits.lock_tries
        )

    def _wait(self, error: Exception, attempt: int) -> None:
        wait_for_turn(self.running or "the version table", said(error), attempt, self.attempt)


def run_steps(run: StepRun, layout: Layout) -> tuple[Applied, ...]:
    """Run the plan.

    Raises:
        RefusedError: A revision does not import, or lies outside the history Alembic reads.
        ConnectionLostError: The connection died; whether the step is applied is known only after another look.
        DatabaseError: A step failed; it was rolled back, the earlier ones stay.
        InterruptedRunError: A signal; the step was cancelled and rolled back.
    """
    config = make_config(layout, run)
    scripts = load_scripts(config)
    with cancelling(run.connection) as flag, run.watch or nullcontext():
        run.attempt.is_interrupted = lambda: flag.is_set
        try:
            with EnvironmentContext(config, scripts, fn=lambda *_: run.steps(scripts)):
                scripts.run_env()
        except StillroomError:
            raise
        except BaseException as error:
            run.sqlstate = code_of(error)
            raise step_failed(run, error, is_interrupted=flag.is_set) from None
    return tuple(run.done)
