"""Plain `alembic` typed by hand: the same settings, URL, timeouts and lock as the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import Target, limits_of, look_on, reach_database
from stillroom.edges.process import keep_memory_private, report_bugs_through
from stillroom.edges.scripts import read_layout, require_files
from stillroom.edges.terminal import Terminal, open_terminal
from stillroom.errors import DatabaseError, InterruptedRunError, StillroomError
from stillroom.settings import load

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.commands._recording import Recording
    from stillroom.commands._steps import Work
    from stillroom.core.layout import Layout
    from stillroom.core.limits import Limits
    from stillroom.edges.alembic.attempt import Attempt
    from stillroom.settings import Settings

# The inner functions of Alembic's commands that only read; anything else writes, and locks.
COMPARING = "retrieve_migrations"
READING = {
    COMPARING,
    "display_version",
    "_display_current_history",
    "show_current",
    "edit_current",
    "nothing",
}


def run_plain(context: Any, metadata: Any, options: dict[str, Any]) -> None:
    """Do what Alembic was asked for on its command line.

    Args:
        context: Alembic's `context` module, inside env.py.
        metadata: The models' metadata.
        options: The project's own options for `context.configure`.

    Raises:
        StillroomError: As the tasks would.
    """
    from stillroom.edges.alembic.hooks import configure_options

    if context.is_offline_mode():
        context.configure(
            dialect_name="postgresql",
            target_metadata=metadata,
            literal_binds=True,
            dialect_opts={"paramstyle": "named"},
            **configure_options(options),
        )
        with context.begin_transaction():
            context.run_migrations()
        return
    settings = load()
    mask = settings.redactor.mask
    keep_memory_private()
    report_bugs_through(mask)
    try:
        _run_online(settings, context, metadata, _choose(settings, context, metadata, options))
    except StillroomError as error:
        raise type(error)(mask(error.message), hint=mask(error.hint)) from None


def _choose(settings: Settings, context: Any, metadata: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Add our hooks to the project's; where models are compared, with the answers given by `-x`.

    Raises:
        SettingsError: An answer cannot be read.
    """
    from stillroom.edges.alembic.hooks import configure_options

    if _function_name(context) != COMPARING:
        return configure_options(options)
    from stillroom.core.generation import parse_answers
    from stillroom.edges.alembic.completing.findings import Findings

    given = [each.partition("=") for each in context.get_x_argument()]
    values = {
        name: [value for key, _, value in given if key == name]
        for name in ("rename", "fill", "replace", "allow", "online")
    }
    allowed = {each.strip() for value in values["allow"] for each in value.split(",")}
    answers = parse_answers(
        values["rename"],
        values["fill"],
        values["replace"],
        may_lose="data-loss" in allowed,
        is_online=bool(values["online"]),
    )
    return configure_options(options, metadata, findings=Findings(answers), unmanaged=settings.unmanaged_tables)


def _run_online(settings: Settings, context: Any, metadata: Any, chosen: dict[str, Any]) -> None:
    layout = read_layout(settings.root)
    require_files(layout)
    terminal = open_terminal(
        is_ci=settings.is_ci, is_json=False, no_color=settings.no_color, redactor=settings.redactor
    )
    target = reach_database(settings, terminal)
    limits = limits_of(settings, target)
    is_reading = _function_name(context) in READING
    _run(context, metadata, chosen, _Place(settings, target, layout, limits, terminal, is_reading))


@dataclass(frozen=True)
class _Place:
    """Where a plain run goes, and whether it only reads."""

    settings: Settings
    target: Target
    layout: Layout
    limits: Limits
    terminal: Terminal
    is_reading: bool


def _run(context: Any, metadata: Any, chosen: dict[str, Any], place: _Place) -> None:
    from stillroom.edges.alembic.engine import make_engine, translated_from_sqlalchemy
    from stillroom.edges.postgres.connect import connect

    name = _function_name(context)
    work = None if place.is_reading else _begin(context, place, name)
    with closing(connect(place.target.url, command="alembic")) as raw:
        recording = _take_lock(context, raw, work, name, place) if work else None
        attempt = _attempt(raw, place)
        with make_engine(raw, attempt).connect() as connection:
            context.configure(connection=connection, target_metadata=metadata, **_saying(chosen, place.terminal))
            if work:
                from stillroom.edges.alembic.plain import make_honest

                make_honest(context, attempt, raw, recording.ledger if recording else None)
            with (
                _entered(work, raw, recording, name, attempt),
                _stoppable(raw),
                translated_from_sqlalchemy(),
                context.begin_transaction(),
            ):
                context.run_migrations()


def _begin(context: Any, place: _Place, name: str) -> Work:
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


def _take_lock(context: Any, raw: Connection, work: Work, name: str, place: _Place) -> Recording | None:
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
def _entered(
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


def _attempt(raw: Connection, place: _Place) -> Attempt:
    from stillroom.edges.alembic.attempt import Attempt

    if place.is_reading:
        return Attempt(0, search_path=place.limits.search_path)
    return Attempt.on(raw, place.limits, place.terminal.say)


@contextmanager
def _stoppable(raw: Connection) -> Iterator[None]:
    """Cancel the running statement on a signal, as the tasks do.

    Raises:
        InterruptedRunError: A signal; what was not committed yet was rolled back.
    """
    from stillroom.edges.interrupt import Interrupted, cancelling

    with cancelling(raw) as flag:
        try:
            yield
        except SystemExit as error:
            raise DatabaseError(
                f"the revision left the process (SystemExit: {error.code}); what was not committed yet was rolled back",
                hint="correct the revision; `alembic current` shows where the database stands",
            ) from None
        except (DatabaseError, Interrupted):
            if not flag.is_set:
                raise
            raise InterruptedRunError(
                "interrupted; what was not committed yet was rolled back",
                hint="`alembic current` shows where the database stands",
            ) from None


def _saying(chosen: dict[str, Any], terminal: Terminal) -> dict[str, Any]:
    """Say each step on stderr, behind the project's own callbacks."""

    def say(*, step: Any, **_: Any) -> None:
        word = "upgrade" if step.is_upgrade else "downgrade"
        if not step.is_stamp:
            terminal.say(
                f"{word} {', '.join(step.source_revision_ids) or 'base'} -> {', '.join(step.destination_revision_ids) or 'base'}"
            )

    theirs = chosen.get("on_version_apply") or ()
    callbacks = [theirs] if callable(theirs) else list(theirs)
    return {**chosen, "on_version_apply": [*callbacks, say]}


def _function_name(context: Any) -> str:
    """Name the function that Alembic's command handed to the environment."""
    function = context._proxy.context_opts.get("fn")
    return getattr(function, "__name__", "")
