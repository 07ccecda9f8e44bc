"""What ends a step that was cut short: somebody's word, a reset, a stamp; or going on, for which the database is made ready."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stillroom.commands._open_step import Say, Seen, is_over, look_at
from stillroom.core.journal import DONE, OpenStep, Sent
from stillroom.core.plan import hint_for_unknown
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating


def find_resumable(work: Work, held: Migrating) -> OpenStep | None:
    """Find the step that is to be gone on with; None where none was cut short.

    Raises:
        RefusedError: Its revision has no file here, or what is done from here on could not be entered.
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.journal import close_alone, read_open

    step = read_open(held.connection, held.current.role)
    if step is None:
        return None
    if is_over(work, step, held.current.revisions):
        close_alone(held.connection, step.id, "settled")
        return None
    _require_file(work, step)
    require_records(work, held)
    return step


def make_ready(work: Work, held: Migrating, say: Say, step: OpenStep) -> OpenStep:
    """Make the database ready to go on: an index that the cut left invalid is dropped, and only that one.

    Returns:
        The step with what is done.

    Raises:
        RefusedError: It cannot be told what became of a statement, or going on would repeat a change.
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.journal import drop_invalid

    kept: list[Sent] = []
    seen = look_at(held.connection, step, work.limits.search_path)
    for each in seen:
        if each.state == "unknown" or (each.sent.returns and each.sent.changes):
            raise _unclear(work, step, seen, each, say)
        if each.state == "invalid":
            say(f"dropping the invalid index {each.index}, which {step.revision} was building")
            drop_invalid(held.connection, each.index)
        elif each.state in {"done", "begun"}:
            kept.append(replace(each.sent, state=DONE) if each.state == "done" else each.sent)
    done = sum(each.state == DONE for each in kept)
    say(f"going on with {step.revision}: {done} statement{'s' if done != 1 else ''} done before")
    return replace(step, statements=tuple(kept))


def require_records(work: Work, held: Migrating) -> None:
    """Refuse to go on where nobody could enter what is done from here on.

    Raises:
        RefusedError: The ledger cannot be written; what would help is said.
    """
    from stillroom.edges.postgres.ledger import open_ledger

    opened = open_ledger(held.connection, database=held.current.database, role=held.current.role)
    if not opened.is_usable:
        raise RefusedError(
            f"{work.target.shown}: nothing was gone on with, because it could not be entered: {opened.problem}",
            hint=opened.hint,
        )


def _require_file(work: Work, step: OpenStep) -> None:
    """Refuse a step that this checkout does not have.

    Raises:
        RefusedError: Its revision has no file here; nothing was touched.
    """
    if step.revision not in work.project.history.revisions:
        raise RefusedError(
            f"{work.target.shown}: {step.revision} was cut short, and has no file here",
            hint=hint_for_unknown(step.revision),
        )


def _unclear(work: Work, step: OpenStep, seen: tuple[Seen, ...], which: Seen, say: Say) -> RefusedError:
    for each in seen:
        say(each.text)
    what = (
        f"`{which.sent.shown}` returned rows and changed others, and would change them again"
        if which.state == "done"
        else f"it cannot be told what became of `{which.sent.shown}`"
    )
    return RefusedError(
        f"{work.target.shown}: {step.revision} cannot be gone on with: {what}; nothing was run",
        hint="settle it by hand, then `invoke migrate --resume --as applied`, or `undone`",
    )


def settle(work: Work, held: Migrating, say: Say, outcome: str) -> tuple[str, ...]:
    """Take somebody's word for what became of the step: the version table says it from now on, and the ledger who said it.

    Args:
        work: Names the history.
        held: Holds the lock.
        say: Told what was settled.
        outcome: "applied" or "undone".

    Returns:
        What the version table holds now.

    Raises:
        RefusedError: No step was cut short.
        DatabaseError: The server refused.
    """
    from stillroom.commands._recording import record
    from stillroom.commands._records import hashed
    from stillroom.edges.postgres.journal import close_alone, read_open
    from stillroom.edges.postgres.version_table import write_revisions
    from stillroom.edges.scripts import read_bytes

    history, before = work.project.history, held.current.revisions
    step = read_open(held.connection, held.current.role)
    if step is None:
        raise RefusedError("no step was cut short, so there is nothing to settle", hint="`invoke status`")
    _require_file(work, step)
    applied = history.closure(before) | {step.revision}
    now = history.tops(applied if outcome == "applied" else applied - {step.revision})
    layout = work.project.layout
    if now != before:
        schema = layout.version_table_schema or held.current.schema
        write_revisions(held.connection, schema=schema, table=layout.version_table, revisions=now)
    close_alone(held.connection, step.id, outcome)
    script = history.revisions[step.revision]
    found = hashed(read_bytes(layout, script.path))
    record(
        work, held.connection, say, before, "settlement", outcome=outcome, direction=step.direction, revision=step.revision,
        parents=tuple(sorted(set(script.needs))), script=found.script, tree=found.tree, reason="settled by hand", after=now,
    )  # fmt: skip
    say(f"{step.revision} counts as {outcome} from now on")
    return now


def close_open_step(work: Work, held: Migrating, outcome: str) -> None:
    """Close the journal of a step that something else has settled: a reset, or a stamp that was proven.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.edges.postgres.journal import close_alone, read_open

    step = read_open(held.connection, held.current.role)
    if step is not None:
        close_alone(held.connection, step.id, outcome)
