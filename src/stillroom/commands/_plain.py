"""Plain `alembic` typed by hand: the same settings, URL, timeouts and lock as the tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from stillroom.commands._database import limits_of, reach_database
from stillroom.commands._plain_place import COMPARING, READING, Place, choose_options, function_name
from stillroom.commands._plain_recording import begin, entered, take_lock
from stillroom.edges.process import keep_memory_private, report_bugs_through
from stillroom.edges.scripts import read_layout, require_files
from stillroom.edges.terminal import Terminal, open_terminal
from stillroom.errors import DatabaseError, InterruptedRunError, StillroomError
from stillroom.settings import load

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from stillroom.edges.alembic.attempt import Attempt
    from stillroom.settings import Settings


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
        _run_online(settings, context, metadata, choose_options(settings, context, metadata, options))
    except StillroomError as error:
        raise type(error)(mask(error.message), hint=mask(error.hint)) from None


def _run_online(settings: Settings, context: Any, metadata: Any, chosen: dict[str, Any]) -> None:
    layout = read_layout(settings.root)
    require_files(layout)
    terminal = open_terminal(
        is_ci=settings.is_ci, is_json=False, no_color=settings.no_color, redactor=settings.redactor
    )
    target = reach_database(settings, terminal)
    from stillroom.edges.alembic.plain import before_unlocated

    limits = limits_of(settings, target)
    is_reading = function_name(context) in READING
    place = Place(settings, target, layout, limits, terminal, is_reading)
    with before_unlocated(lambda: _name_strangers(place)):
        _run(context, metadata, chosen, place)


def _name_strangers(place: Place) -> None:
    """Say where the file of a revision is that is not here, as the tasks do.

    Raises:
        UnknownRevisionError: The database is at it.
    """
    from stillroom.commands._database import look, read_project
    from stillroom.commands._strangers import require_known_here

    project = read_project(place.settings)
    current = look(place.target, project, place.settings, command="alembic", only_looks=True)
    require_known_here(place.settings, project, place.target, current)


def _run(context: Any, metadata: Any, chosen: dict[str, Any], place: Place) -> None:
    from stillroom.edges.alembic.engine import make_engine, translated_from_sqlalchemy
    from stillroom.edges.postgres.connect import connect

    name = function_name(context)
    work = None if place.is_reading else begin(context, place, name)
    with closing(connect(place.target.url, command="alembic")) as raw:
        recording = take_lock(context, raw, work, name, place) if work else None
        attempt = _attempt(raw, place)
        with make_engine(raw, attempt).connect() as connection:
            context.configure(connection=connection, target_metadata=metadata, **_saying(chosen, place.terminal))
            if work:
                from stillroom.edges.alembic.plain import make_honest

                make_honest(context, attempt, raw, recording.ledger if recording else None)
            with (
                entered(work, raw, recording, name, attempt),
                _stoppable(raw),
                translated_from_sqlalchemy(),
                context.begin_transaction(),
            ):
                context.run_migrations()
            if name == COMPARING:
                _require_use(chosen)


def _require_use(chosen: dict[str, Any]) -> None:
    """Refuse an answer by `-x` to nothing that was asked, before a file is written.

    Raises:
        RefusedError: The answers are named.
    """
    from stillroom.commands._asking import require_use
    from stillroom.edges.alembic.completing.findings import KEY

    require_use(chosen[KEY].unused, flag="-x {}={}", again="the same command without it")


def _attempt(raw: Connection, place: Place) -> Attempt:
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
