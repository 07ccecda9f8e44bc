"""`invoke reset-dev`: drop the public schema of a development database, put its surroundings back, upgrade from base."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import Target, read_project, search_path_of, standing_of
from stillroom.commands._marking import mark_if_new
from stillroom.commands._pending import require_whole_files
from stillroom.commands._recording import record
from stillroom.commands._running import run_plan
from stillroom.commands._settling import close_open_step
from stillroom.commands._steps import Ran, Work, begin_work, run_under_lock
from stillroom.commands._unrecorded import find_made_tables
from stillroom.core.guard import require_allowed
from stillroom.core.plan import plan_upgrade
from stillroom.errors import DatabaseError, RefusedError

if TYPE_CHECKING:
    from stillroom.core.applied import Applied
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.reset import Reset
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


@dataclass(frozen=True)
class DatabaseReset:
    """What was dropped and put back, what was applied, and whether the seed ran."""

    database: str
    reset: Reset
    applied: tuple[Applied, ...]
    now: tuple[str, ...]
    is_seeded: bool
    seconds: float


def reset_database(
    settings: Settings,
    terminal: Terminal,
    *,
    yes: bool = False,
    kicks: bool = False,
    seeds: bool = False,
    wait_s: str = "",
    allowed: frozenset[str] = frozenset(),
) -> DatabaseReset:
    """Start a development database anew; the lock is held from the drop to the last revision.

    Args:
        settings: Where the database is.
        terminal: Shown host, database and row counts, and asked once; the embedded server needs no question.
        yes: Answer the question with yes.
        kicks: End the sessions that hold locks on what is dropped.
        seeds: Run the project's seed function afterwards.
        wait_s: Longest wait for the lock in seconds, as typed; empty for the setting.
        allowed: "outside" takes along what hangs on the schema in other schemas.

    Raises:
        RefusedError: The database is protected, nobody answered yes, the history's tables lie elsewhere, or something could not be put back.
        DatabaseError: A session holds a table, a step failed, or the server did not answer.
        LockBusyError: A migration holds the lock and the wait ran out.
        InterruptedRunError: Ctrl-C or a signal; the message says how far it came.
    """
    started = time.monotonic()
    project = read_project(settings)
    if seeds:
        from stillroom.edges.alembic.seed import load_seed

        load_seed(project.layout)  # one that is not there must stop us before the drop
    require_whole_files(project, plan_upgrade(project.history, ()))
    work, current = begin_work(settings, terminal, command="reset-dev", wait_s=wait_s)
    database = work.target
    standing = standing_of(settings, database, current, terminal)
    require_allowed("reset-dev", standing, command="reset-dev")
    if not (yes or database.is_embedded):
        _ask(settings, terminal, database)

    def body(held: Migrating, say: Voice) -> tuple[Reset, Ran, bool]:
        _require_reach(work, held)
        reset = _drop(work, held, say, kicks=kicks, allows_outside="outside" in allowed)
        _forget_revisions(work, held)
        mark_if_new(work, held, say)
        close_open_step(work, held, "reset")
        record(work, held.connection, say, held.current.revisions, "reset")
        ran = run_plan(work, held, plan_upgrade(project.history, ()), say)
        if seeds:
            from stillroom.edges.alembic.seed import run_seed

            run_seed(project.layout, held.connection, work.limits.lock_timeout_ms)
        return reset, ran, seeds

    reset, ran, is_seeded = run_under_lock(work, terminal, body)
    return DatabaseReset(database.shown, reset, ran.applied, ran.plan.ends_at, is_seeded, time.monotonic() - started)


def _ask(settings: Settings, terminal: Terminal, database: Target) -> None:
    """Show what dies, and ask once.

    Raises:
        RefusedError: The answer is no, or nobody is there to answer.
    """
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.counting import count_tables

    with closing(connect(database.url, command="reset-dev")) as connection:
        tables = count_tables(connection, settings.schemas)
    shown = (
        ", ".join(
            f"{each.what} {each.count:,}" + (" (estimate)" if each.is_estimate else "") for each in tables if each.count
        )
        or "no rows"
    )
    names = ", ".join(settings.schemas)
    if not terminal.is_interactive:
        raise RefusedError(
            f"{database.shown}: schema {names} would be dropped ({shown}), and nobody is there to be asked",
            hint="if that is meant: `invoke reset-dev --yes`",
        )
    terminal.say(f"{database.shown}: schema {names} will be dropped; rows: {shown}")
    if not terminal.confirm("drop it and start anew?"):
        raise RefusedError("answered no; nothing was touched", hint="`invoke status` shows the database")


def _require_reach(work: Work, held: Migrating) -> None:
    """Refuse where the history's tables would stay: they would stand in the way of the first revision.

    Raises:
        RefusedError: They lie in a schema that is not dropped.
    """
    from stillroom.edges.postgres.tables import read_tables

    layout, schemas = work.project.layout, work.settings.schemas
    path = search_path_of(work.settings, work.target)
    there = read_tables(held.connection, version_table=layout.version_table, search_path=path)
    kept = [
        each for each in find_made_tables(work.project, there, is_strict=False) if each.partition(".")[0] not in schemas
    ]
    if kept:
        spaces = ",".join(sorted({each.partition(".")[0] for each in kept}))
        raise RefusedError(
            f"{work.target.shown}: tables of the history lie in {spaces}, which would not be dropped: {', '.join(kept[:5])}; nothing was touched",
            hint=f"set STILLROOM_SCHEMAS={spaces}",
        )


def _drop(work: Work, held: Migrating, say: Callable[[str], None], *, kicks: bool, allows_outside: bool) -> Reset:
    """Drop and put back; sessions that hold the tables are named, or ended.

    Raises:
        DatabaseError: They hold on.
    """
    from stillroom.edges.postgres.blockers import end_sessions, read_blockers
    from stillroom.edges.postgres.reset import is_blocked, reset_schemas

    schemas = work.settings.schemas
    tries = 5 if kicks else 2
    for left in reversed(range(tries)):
        if kicks:
            blockers = read_blockers(held.connection, schemas)
            for each in blockers:
                say(f"ending {each.shown}")
            end_sessions(held.connection, blockers)
        try:
            return reset_schemas(
                held.connection, schemas, allows_outside=allows_outside, lock_timeout_ms=work.limits.lock_timeout_ms
            )
        except DatabaseError as error:
            if not is_blocked(error):
                raise
            who = "; ".join(each.shown for each in read_blockers(held.connection, schemas))
            if not left:
                raise DatabaseError(
                    f"{work.target.shown}: other sessions hold tables of it: {who or 'they have just ended'}; the schema was not dropped",
                    hint="end them and run it again, or `invoke reset-dev --kick` ends them",
                ) from None
    raise AssertionError("unreachable: the last try returns or raises")


def _forget_revisions(work: Work, held: Migrating) -> None:
    """Empty a version table that lies outside the dropped schemas: what it says is gone."""
    from stillroom.edges.postgres.version_table import write_revisions

    schema = held.current.schema
    if held.current.has_version_table and schema not in work.settings.schemas:
        write_revisions(held.connection, schema=schema, table=work.project.layout.version_table, revisions=())
