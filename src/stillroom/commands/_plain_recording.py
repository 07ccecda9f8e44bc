"""What plain `alembic` shares with `invoke migrate` when it writes: refusals, the lock, the ledger's entries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import look_on
from stillroom.errors import DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._plain_place import Place
    from stillroom.commands._recording import Recording
    from stillroom.commands._steps import Work
    from stillroom.edges.alembic.attempt import Attempt


def begin(context: Any, place: Place, name: str) -> Work:
    """Read the project and the database, and refuse what the tasks refuse, before the lock.

    Raises:
        RefusedError: The table of refusals says so.
    """
    from stillroom.commands._database import read_project
    from stillroom.commands._plain_guard import require_plain_allowed
    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.records import read_records
    from stillroom.edges.postgres.session import require_direct

    project = read_project(place.settings)
    with closing(connect(place.target.url, command="alembic")) as connection:
        require_direct(connection, place.limits)
        current = look_on(connection, place.target, project, place.settings)
        knows = current.has_ledger and place.settings.ledger != "off"
        records = read_records(connection, current.role) if knows else {}
    word = {"do_stamp": "stamp"}.get(name, name)
    work = Work(place.settings, project, place.target, place.limits, f"alembic {word}", records=records)
    require_plain_allowed(context, work, current, name, place.terminal)
    return work


def take_lock(context: Any, raw: Connection, work: Work, name: str, place: Place) -> Recording | None:
    """Take the lock, look again what is there, and enter the beginning of the run.

    Raises:
        RefusedError: Tables of the history are there without a version row, or a marked database was emptied by hand.
    """
    from stillroom.commands._adoption import require_no_tables_now
    from stillroom.commands._emptied import note_emptied
    from stillroom.commands._open_step import require_no_open_step
    from stillroom.commands._recording import begin_recording
    from stillroom.core.plan import plan_upgrade
    from stillroom.edges.alembic.plain import list_steps
    from stillroom.edges.postgres.session import prepare, require_direct

    require_direct(raw, place.limits)
    held = prepare(raw, layout=place.layout, limits=place.limits, say=place.terminal.say)
    if name in {"upgrade", "downgrade"}:
        require_no_open_step(work, held, place.terminal.say)
    if name == "upgrade" and not held.current.revisions:
        plan = plan_upgrade(work.project.history, ())
        require_no_tables_now(work, held, plan)
        note_emptied(work, held, plan, place.terminal.say)
    if name in {"upgrade", "downgrade"} and not list_steps(context, held.current.revisions).revisions:
        return None
    return begin_recording(work, held, place.terminal.say, held.current.revisions)


@contextmanager
def entered(
    work: Work | None, raw: Connection, recording: Recording | None, name: str, attempt: Attempt
) -> Iterator[None]:
    """Enter how the run ended, whatever way it did."""
    from stillroom.commands._open_step import forget_nothing
    from stillroom.commands._recording import enter_end

    if work is None or recording is None:
        yield
        return
    kind = "stamp" if name == "do_stamp" else "run"
    try:
        yield
    except BaseException as error:
        outcome = "interrupted" if isinstance(error, InterruptedRunError) else "failed"
        with suppress(DatabaseError):  # the connection may be gone, and the error is what counts
            forget_nothing(work, raw, recording.ledger.role)
            code = (attempt.first_error.pgcode if attempt.first_error else None) or ""
            steps = [attempt.entering.entry(outcome, attempt, sqlstate=code)] if attempt.entering else []
            enter_end(work, raw, recording, kind, outcome, sqlstate=code, steps=steps)
        raise
    enter_end(work, raw, recording, kind, "done")
