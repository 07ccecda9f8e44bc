"""A database with tables and no version row: never run from base, and told which revision it is at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._database import look_on, search_path_of
from stillroom.commands._history_build import Built, build_history
from stillroom.commands._rendering import render_plan
from stillroom.core.plan import Plan
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._steps import Work
    from stillroom.core.created_tables import Table
    from stillroom.edges.alembic.offline import Rendered
    from stillroom.edges.postgres.session import Migrating
    from stillroom.edges.terminal import Terminal

    Steps = tuple[Rendered, ...]

SHOWN = 5
MADE = "tables that the pending revisions make are there"


@dataclass(frozen=True)
class Clash:
    """Tables that are there although the version table says that nothing was applied yet.

    Args:
        tables: Those that the pending revisions make, as "schema.table", sorted.
        schema: Where a name without a schema is created.
        unknown: A revision that tells only on a connection what it makes; then any table counts.
        empty_table: The version table, where it is there and empty.
    """

    tables: tuple[str, ...]
    schema: str
    unknown: str = ""
    empty_table: str = ""

    @property
    def text(self) -> str:
        """What is so, in words."""
        more = f" and {len(self.tables) - SHOWN} more" if len(self.tables) > SHOWN else ""
        which = f"tables are there that {self.unknown} may have made" if self.unknown else MADE
        return f"no revision is applied, and {which}: {', '.join(self.tables[:SHOWN])}{more}"

    def way_out(self, revision: str, first: str) -> str:
        """What to do if the first revision failed half-way and must run again; empty where that cannot have been."""
        if not self.empty_table or revision != first:
            return ""
        return (
            f"; only if {first} failed half-way, can be repeated, and nothing else ran: `DROP TABLE {self.empty_table}`"
        )


def require_no_tables(work: Work, plan: Plan, terminal: Terminal, *, proves: bool) -> None:
    """Refuse to run from base over tables that the history made before.

    Args:
        work: The database.
        plan: What would run.
        terminal: Told when a scratch database is built.
        proves: Find out which revision the schema is at; else only say that it must be found out.

    Raises:
        RefusedError: Such tables are there; the hint names the revision to stamp.
        DatabaseError: The server did not answer, or refused.
    """
    from stillroom.edges.postgres.connect import connect

    if plan.starts_at or not plan.steps:
        return
    with closing(connect(work.target.url, command=work.command)) as connection:
        clash = _find_clash(work, plan, connection, lambda: render_plan(work, plan))
        if clash is None or (proves and _is_migrating(work, connection, clash.schema)):
            return
        if look_on(connection, work.target, work.project, work.settings).revisions:
            return  # made, and recorded, by another run since the plan was made: it is made anew under the lock
    raise _told(work, clash, build_history(work, terminal)) if proves else _not_proven(clash)


def require_no_tables_now(work: Work, held: Migrating, plan: Plan) -> None:
    """Look once more under the lock: another one may have been under way before.

    Raises:
        RefusedError: Tables that the pending revisions make are there.
    """
    if plan.steps and not plan.starts_at:
        from stillroom.edges.alembic.offline import render_plan as render_here

        clash = _find_clash(work, plan, held.connection, lambda: render_here(work.project.layout, plan))
        if clash:
            raise _not_proven(clash)


def _find_clash(work: Work, plan: Plan, connection: Connection, render: Callable[[], Steps]) -> Clash | None:
    """Compare what is there with what the revisions make; a database without tables costs one query."""
    from stillroom.edges.postgres.tables import read_tables

    path = search_path_of(work.settings, work.target)
    there = read_tables(connection, version_table=work.project.layout.version_table, search_path=path)
    if not there.names:
        return None
    # An empty version table was written by a migration once: then no author's guard speaks for a first run.
    current = look_on(connection, work.target, work.project, work.settings)
    is_strict = current.has_version_table
    empty_table = f"{current.schema}.{work.project.layout.version_table}" if is_strict else ""
    steps = render()
    made = (table for step in steps for table in _made_by(work, step, is_strict=is_strict))
    found = {f"{schema or there.schema}.{name}" for schema, name in made}.intersection(there.names)
    unknown = ""
    if is_strict and not found and (unknown := next((step.revision for step in steps if step.problem), "")):
        # What it makes is seen on a connection only: then each table where ours lie may be its own.
        spaces = {there.schema, *work.settings.schemas}
        found = {name for name in there.names if name.partition(".")[0] in spaces}
    return Clash(tuple(sorted(found)), there.schema, unknown, empty_table) if found else None


def _made_by(work: Work, step: Rendered, *, is_strict: bool) -> Iterator[Table]:
    """Name the tables of one step: from its SQL, and from its file where the SQL is not everything."""
    from stillroom.core.created_tables import find_created_tables, find_mentioned_tables
    from stillroom.edges.scripts import read_tables_made

    yield from find_created_tables(step.sql)
    if is_strict:
        yield from find_mentioned_tables(step.sql)
    if is_strict or step.problem:
        path = work.project.history.revisions[step.revision].path
        yield from read_tables_made(work.project.layout, path, is_strict=is_strict)


def _is_migrating(work: Work, connection: Connection, schema: str) -> bool:
    """Ask whether somebody holds the migration lock: then the tables may be that one's, and are looked at after it."""
    from stillroom.edges.postgres.lock import lock_key, read_holders

    layout = work.project.layout
    return bool(read_holders(connection, lock_key(layout.version_table_schema or schema, layout.version_table)))


def _not_proven(clash: Clash) -> RefusedError:
    return RefusedError(clash.text, hint="`invoke migrate` finds out which revision the schema is at; nothing is run")


def _told(work: Work, clash: Clash, built: Built) -> RefusedError:
    """Put what the comparison found into a sentence and the next command."""
    said = f"{work.target.shown}: {clash.text}"
    first = next(iter(work.project.history.order), "")
    if not built.compared:
        hint = "`invoke stamp <revision>`, if you know which: `invoke history` lists them"
        return RefusedError(f"{said}; {built.problem}", hint=hint + clash.way_out(first, first))
    equal = [each.revision for each in built.compared if not each.count]
    if equal[1:]:
        return RefusedError(
            f"{said}; the schema equals revisions {', '.join(equal)} built from base, which differ in nothing that is compared "
            "(not rows, partitions, rules, statistics, grants)",
            hint=f"`invoke stamp {equal[-1]}`, or an earlier one of them where the later did not run; then `invoke {work.command}`"
            + clash.way_out(equal[0], first),
        )
    if equal:
        return RefusedError(
            f"{said}; the schema equals revision {equal[0]} built from base",
            hint=f"`invoke stamp {equal[0]}`, then `invoke {work.command}`{clash.way_out(equal[0], first)}",
        )
    nearest = min(reversed(built.compared), key=lambda each: each.count)
    shown = "; ".join(nearest.sample) + ("; …" if nearest.count > len(nearest.sample) else "")
    problem = f"; {built.problem}" if built.problem else ""
    return RefusedError(
        f"{said}; the schema equals no revision; nearest is {nearest.revision} with {nearest.count} "
        f"difference{'s' if nearest.count > 1 else ''}: {shown}{problem}",
        hint=f"mend that, then `invoke stamp {nearest.revision}`; `invoke stamp {nearest.revision} --allow unproven` takes it as it is"
        + clash.way_out(nearest.revision, first),
    )
