"""Run a plan on a copy: up, down, compared, up again; each step measured, and the original not touched by any of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stillroom.commands._looking_after import connect_again, shown
from stillroom.commands._new_roles import new_roles_named
from stillroom.commands._reaching import Reach
from stillroom.core.drift import EXTRA, Drift
from stillroom.core.mending import plan_mending
from stillroom.core.plan import Plan
from stillroom.core.rehearsal import DIFFERS, FAILED, SAME, Rehearsal, WayBack
from stillroom.errors import AnswerNoError, ConnectionLostError, DatabaseError, InterruptedRunError, RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._copying import Copy
    from stillroom.commands._steps import Work
    from stillroom.core.schema_objects import Schema
    from stillroom.edges.alembic.observing import Measuring
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating

PHASE = "the rehearsal"


def rehearse_plan(work: Work, copy: Copy, plan: Plan, say: Voice) -> Rehearsal:
    """Run the plan on the copy, in this process and on connections of its own; nothing is sent to the work's own database.

    Args:
        work: About the original; its limits name the search path that the real run has.
        copy: Where it is run.
        plan: An upgrade from where the copy is.
        say: Told each revision.

    Raises:
        AnswerNoError: A revision failed on the copy, or did so the second time, after downgrades that led to the same schema.
        RefusedError: An effect on the whole of a shared server, which was not sent; or a revision does not import.
        DatabaseError: The copy's server failed.
        InterruptedRunError: A signal.
    """
    from stillroom.edges.postgres.session import migrating

    layout, untouched = work.project.layout, f"{work.target.shown} was not touched"
    again = f"`invoke {work.command}` starts anew"
    say.begins(PHASE)
    try:
        with (
            migrating(copy.target.url, layout=layout, limits=work.limits, command=work.command, say=say) as held,
            closing(connect_again(replace(work, target=copy.target))) as beside,
        ):
            rehearsal = _Rehearsing(work, copy, plan, say, held, beside).run()
    except InterruptedRunError as error:
        raise InterruptedRunError(f"the rehearsal was {error.message}; {untouched}", hint=again) from None
    except ConnectionLostError as error:
        raise DatabaseError(f"the rehearsal: {error.message}; {untouched}", hint=again) from None
    say.rest()
    say.begins("")
    return rehearsal


@dataclass
class _Rehearsing:
    """One rehearsal under way."""

    work: Work
    copy: Copy
    plan: Plan
    say: Voice
    held: Migrating
    beside: Connection
    reach: Reach = field(init=False)
    made_roles: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.reach = Reach(self.copy, self.work.target.shown)

    def run(self) -> Rehearsal:
        """Go up, down, and up again."""
        from stillroom.edges.alembic.observing import Measuring
        from stillroom.edges.postgres.errors import translated
        from stillroom.edges.postgres.foreign import drop_user_mappings
        from stillroom.edges.postgres.guarding import shown_before
        from stillroom.edges.postgres.measuring import gather_statistics, read_foreign, read_unfinished
        from stillroom.edges.postgres.new_roles import without_new_roles

        started = time.monotonic()
        self._require_start()
        gather_statistics(self.beside)
        self.reach.foreign = read_foreign(self.beside)
        before = self._read_schema()
        rows, is_estimated = self._count(before)
        drop_user_mappings(self.beside)
        with (
            translated("measuring the rehearsal"),
            new_roles_named(self.beside, self.made_roles, is_shared=self.copy.is_shared) as roles,
            without_new_roles(
                self.beside, lambda: bool(self.reach.effects or self.made_roles) and not self.copy.is_shared
            ),
            shown_before(self.held.connection, self.reach.look),
        ):
            unfinished = read_unfinished(self.beside)
            table = self.work.project.layout.version_table
            measuring = Measuring(self.beside, self.held.backend.pid, table, made_roles=self.made_roles)
            self._upgrade(measuring)
            left = read_unfinished(self.beside)
            back = self._go_back(before)
        return Rehearsal(
            self.copy.where,
            self.copy.is_shared,
            rows,
            is_estimated,
            tuple(measuring.done),
            back,
            tuple(sorted(left.not_validated - unfinished.not_validated)),
            tuple(sorted(left.invalid_indexes - unfinished.invalid_indexes)),
            tuple(self.reach.effects),
            time.monotonic() - started,
            tuple(roles),
        )

    def _require_start(self) -> None:
        here, start = self.held.current.revisions, self.plan.starts_at
        if here != start:
            raise RefusedError(
                f"the copy is at {shown(here)}, and the plan begins at {shown(start)}",
                hint=f"a migration moved the database meanwhile: `invoke {self.work.command}` looks again",
            )

    def _read_schema(self) -> Schema:
        from stillroom.edges.postgres.catalog import read_schema

        return read_schema(self.beside, version_table=self.work.project.layout.version_table)

    def _count(self, schema: Schema) -> tuple[int, bool]:
        from stillroom.edges.postgres.counting import count_tables

        left_out = self.work.project.layout.version_table
        counted = [each for each in count_tables(self.beside, tuple(schema.spaces)) if each.what != left_out]
        return sum(each.count or 0 for each in counted), any(each.is_estimate for each in counted)

    def _upgrade(self, measuring: Measuring | None = None) -> None:
        """Run the plan, and look whether the copy is where it ends.

        Raises:
            AnswerNoError: It is not; without measuring it is the second time, after the downgrade.
        """
        from stillroom.edges.postgres.current import read_current

        layout, ends_at = self.work.project.layout, self.plan.ends_at
        with self._answering(measuring):
            self._run(self.plan, measuring)
            seen = read_current(
                self.beside,
                version_table=layout.version_table,
                version_table_schema=layout.version_table_schema,
                search_path=self.work.limits.search_path,
            ).revisions
            if seen != ends_at:
                message = f"every step ran, but the copy is at {shown(seen)} and not at {shown(ends_at)}"
                raise DatabaseError(message, hint="a revision changed the version table")

    def _go_back(self, before: Schema) -> WayBack:
        """Undo the plan, compare, and run it again; what a downgrade does wrong is told and stops nothing."""
        plan, started = self.plan, time.monotonic()
        try:
            self._run(Plan("downgrade", tuple(reversed(plan.steps)), plan.ends_at, plan.starts_at))
        except ConnectionLostError:
            raise
        except DatabaseError as error:
            return WayBack(FAILED, time.monotonic() - started, error.message)
        seconds, found = time.monotonic() - started, _differences(before, self._read_schema())
        started = time.monotonic()
        try:
            self._upgrade()
        except AnswerNoError as error:
            if not found:
                raise
            return WayBack(DIFFERS, seconds, error.message, found)
        return WayBack(DIFFERS if found else SAME, seconds, "", found, time.monotonic() - started)

    def _run(self, plan: Plan, measuring: Measuring | None = None) -> None:
        from stillroom.edges.alembic.steps import StepRun, run_steps

        # The run before has left it out of autocommit, as Alembic gets it.
        self.held.connection.rollback()
        self.held.connection.autocommit = True
        say = _telling(self.say, is_measured=measuring is not None)
        run = StepRun(self.held.connection, plan, self.work.limits, say, self.say.pulse, None, self.work.shows_data)
        run.attempt.observer, self.reach.run = measuring, run
        self.say.pulse()
        try:
            run_steps(run, self.work.project.layout)
        except DatabaseError:
            self.reach.require_inside()
            raise
        self.reach.require_inside()

    @contextmanager
    def _answering(self, measuring: Measuring | None) -> Iterator[None]:
        """Answer no where a step failed; a lost connection is no answer."""
        try:
            yield
        except ConnectionLostError:
            raise
        except DatabaseError as error:
            what = "the rehearsal" if measuring else "the second upgrade of the rehearsal, after its downgrade,"
            raise AnswerNoError(
                f"{what} failed on {self.copy.where}: {error.message}{self._violations(measuring)}; {self.work.target.shown} was not touched",
                hint=self._hint(error, is_again=measuring is None),
            ) from None

    def _hint(self, error: DatabaseError, *, is_again: bool) -> str:
        if is_again:
            return "a downgrade takes back all that its upgrade did, rows as well; to go without: `invoke backup-then-migrate --no-rehearse`"
        if self.reach.run is not None and self.reach.run.attempt.has_committed:
            return "correct the revision, then run the same command again"  # what it left is the copy's, and gone
        return error.hint

    def _violations(self, measuring: Measuring | None) -> str:
        from stillroom.edges.postgres.violations import count_violations

        error = self.reach.run.attempt.first_error if self.reach.run else None
        if error is None or measuring is None:
            return ""
        count = count_violations(self.beside, error, measuring.failed_statement)
        return f"; {count:,} row{'s stand' if count > 1 else ' stands'} against it" if count else ""


def _telling(say: Callable[[str], None], *, is_measured: bool) -> Callable[[str], None]:
    """Say the steps of a rehearsal as such; those of the way back are told at its end."""

    def tell(line: str) -> None:
        if not line.startswith(("  + ", "  - ")):
            say(line)
        elif is_measured:
            say(line.replace("  + ", "  rehearsed ", 1))

    return tell


def _differences(before: Schema, after: Schema) -> tuple[str, ...]:
    """Say in what the schema after the downgrades differs from the one before the upgrades."""
    return tuple(
        each.text.replace(EXTRA, "left behind").replace("the history makes", "it was before")
        for each in plan_mending(Drift(after, before))
    )
