"""What is known of the step that runs: its session, its token, what it committed, what it did behind our back."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg2

from stillroom.core.ledger.statements import Sent
from stillroom.edges.postgres.kept_settings import read_settings

if TYPE_CHECKING:
    from psycopg2.extensions import connection as PsycopgConnection

    from stillroom.core.limits import Limits
    from stillroom.edges.alembic.entering import Entering
    from stillroom.edges.alembic.journal import Journal
    from stillroom.edges.alembic.observing import Measuring
    from stillroom.edges.postgres.waiting import Watch


@dataclass(frozen=True)
class Session:
    """What the migrating session looked like when it was set up; a step must leave it so.

    Args:
        pid: The server process.
        role: `current_user`.
        search_path: As pinned.
    """

    pid: int
    role: str
    search_path: str


def read_session(connection: PsycopgConnection) -> Session:
    """Read it, on a connection in autocommit.

    Raises:
        psycopg2.Error: The connection is lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_catalog.pg_backend_pid(), current_user::text, pg_catalog.current_setting('search_path')"
        )
        row = cursor.fetchone()
    assert row is not None
    return Session(*row)


@dataclass
class Attempt:
    """One try of one step.

    Args:
        lock_timeout_ms: The wait for table locks in this attempt; 0 waits for ever.
        statement_timeout_ms: The longest statement.
        session: What the step must leave as it was; None where no step runs.
        search_path: Where no step runs: what the settings say of it; None keeps the server's own.
        lock_tries: How often a statement outside of a transaction is tried.
        say: Told why something is tried again.
        pulse: Called at each statement: the sign of life that the parent process waits for.
        watch: Names who makes a statement wait.
        token: Set in each transaction of the step; gone when the step ended that transaction itself.
        has_committed: An autocommit block, or the step itself, has committed something.
        is_stray: The step committed on the connection itself; what came after is in nobody's transaction.
        lie: What the step did that it must not, in words; the first of it.
        is_interrupted: Asked whether a signal has arrived, which the step may have swallowed.
        invalid_before: The indexes that were invalid before the step.
        first_error: The server's first error, which the step may have swallowed.
        indexes: The indexes it created, or found there, each with its table.
        guarded: Names of indexes that it creates `IF NOT EXISTS`.
        settings: What was set for the session, by name, before the first step.
        threads: Those that sent statements for it.
        older_threads: Those that were there before it, and have nothing to send.
        sent: What it has sent.
        journal: Of the step; None without a ledger.
        entering: Its row of the ledger, until it is entered; None without one.
        observer: Measures what the steps cost; None where nobody asks.
    """

    lock_timeout_ms: int
    statement_timeout_ms: int = 0
    session: Session | None = None
    search_path: str | None = None
    lock_tries: int = 1
    say: Callable[[str], None] = field(default=lambda _: None)
    pulse: Callable[[], None] = field(default=lambda: None)
    watch: Watch | None = None
    token: str = ""
    has_committed: bool = False
    is_stray: bool = False
    lie: str = ""
    is_interrupted: Callable[[], bool] = field(default=lambda: False)
    invalid_before: frozenset[int] = frozenset()
    first_error: psycopg2.Error | None = None
    indexes: set[tuple[str, str]] = field(default_factory=set)
    guarded: set[str] = field(default_factory=set)
    settings: Mapping[str, str] = field(default_factory=dict)
    threads: set[threading.Thread] = field(default_factory=set)
    older_threads: frozenset[threading.Thread] = frozenset()
    sent: Sent = field(default_factory=Sent)
    journal: Journal | None = None
    entering: Entering | None = None
    observer: Measuring | None = None
    _ended_transaction: bool = False

    @classmethod
    def on(cls, connection: PsycopgConnection, limits: Limits, say: Callable[[str], None]) -> Attempt:
        """Read the session that the steps get, before anything is open on it.

        Raises:
            psycopg2.Error: The connection is lost.
        """
        return cls(
            limits.lock_timeout_ms,
            limits.statement_timeout_ms,
            session=read_session(connection),
            lock_tries=limits.lock_tries,
            say=say,
            settings=read_settings(connection),
        )

    def start_step(self) -> None:
        """Forget the step before, or the try before."""
        self.token = secrets.token_hex(16)
        self.has_committed = self.is_stray = self._ended_transaction = False
        self.sent = Sent()
        if self.observer is not None:
            self.observer.step_starts()
        if self.journal is not None:
            self.journal.forget()
        self.lie, self.first_error, self.indexes, self.guarded = "", None, set(), set()
        self.threads, self.older_threads = set(), frozenset(threading.enumerate()) - {threading.current_thread()}

    def statement_begins(self) -> None:
        """Give a sign of life, and note which thread sends; one of an earlier step would send into a later one's."""
        self.pulse()
        self.threads.add(threading.current_thread())
        if self.token and threading.current_thread() in self.older_threads:
            self.lie = self.lie or "a thread that an earlier step left running sent a statement"

    def statement_ended(self, statement: str) -> None:
        """Give a sign of life, and note what the step has sent; percent signs are doubled for the driver."""
        self.pulse()
        if self.token:
            self.sent.add(statement.replace("%%", "%"))

    @property
    def running_journal(self) -> Journal | None:
        """The journal, while the step's own function runs."""
        return self.journal if self.token else None

    @property
    def running_observer(self) -> Measuring | None:
        """The observer, while the step's own function runs."""
        return self.observer if self.token else None

    def is_left_running(self) -> bool:
        """Ask whether a thread that sent statements for the step still runs."""
        return any(each.is_alive() for each in self.threads - {threading.current_thread()})

    def transaction_began(self, *, is_autocommit: bool) -> None:
        """Note a transaction that begins right where another ended: only a commit of the step's own leads there."""
        if self._ended_transaction and self.token:
            self.has_committed = True
            self.is_stray = self.is_stray or not is_autocommit
        self._ended_transaction = False

    def transaction_commits(self, *, is_autocommit: bool) -> None:
        """Note a commit that is about to be sent, and may fail; only what begins after it proves that it did not.

        That of an autocommit block is followed by the block, which begins in autocommit.
        """
        self._ended_transaction = not is_autocommit

    def transaction_rolled_back(self) -> None:
        """Note a rollback; in a step only the step itself does that, and goes on in nobody's transaction."""
        if self.token:
            self.is_stray = True

    def end_step(self) -> None:
        """Let Alembic commit the step without being taken for the step itself."""
        self.token = ""
