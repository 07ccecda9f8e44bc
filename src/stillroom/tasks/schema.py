"""The tasks that move a schema, and those that look at it."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter

WAIT_S = "Longest wait for our turn, in seconds, first for the server, then for the lock (default: STILLROOM_WAIT_S)."
SHOW_DATA = "Let an error show the rows, values and parameters that it is about; for a terminal, not for a log."
ALLOW = "Lift one refusal by naming its danger; docs/refusals.md lists them."


@task(
    klass=Command,
    short={"message": "m"},
    help={
        "message": "What changes, in a few words, in quotes; proposed from the operations when left out.",
        "empty": "Write a revision without operations, for SQL of your own.",
        "no_edit": "Never open the editor; the review still asks.",
        "rename": "table.old:new, or old:new for a table, or type.old:new for a member of an enum type: no drop and add.",
        "fill": "table.column=SQL: what rows that are there already get in a column that is NOT NULL.",
        "replace": "type.gone:stays: what rows hold instead of a member that an enum type loses.",
        "online": "Write foreign keys and indexes in the form that does not stop others.",
        "allow": ALLOW,
    },
    iterable=["rename", "fill", "replace"],
)
def make_migration(
    c: Context,
    message: str = "",
    empty: bool = False,
    no_edit: bool = False,
    rename: Any = None,
    fill: Any = None,
    replace: Any = None,
    online: bool = False,
    allow: list[str] | None = None,
) -> Any:
    """Write a revision from what changed in the models, review it, and accept, edit or discard it."""
    from stillroom.commands.make_migration import make_migration as write_migration
    from stillroom.core.generation import parse_answers
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(",".join(allow or ()))
    answers = parse_answers(rename or (), fill or (), replace or (), is_online=online)
    return write_migration(
        *enter(c), message=message, is_empty=empty, edits=not no_edit, allowed=allowed, answers=answers
    )


@task(
    klass=Command,
    help={
        "target": "Revision to stop at; default: head, the only one; heads applies several.",
        "plan": "Show the revisions, their SQL and the locks they take; run nothing.",
        "wait_s": WAIT_S,
        "show_data": SHOW_DATA,
        "allow": ALLOW,
        "resume": "Go on with a step that was cut short after it had committed a part of itself.",
        "as": "With --resume: applied or undone, as you have settled it by hand; nothing is run.",
    },
)
def migrate(
    c: Context,
    target: str = "head",
    plan: bool = False,
    wait_s: str = "",
    show_data: bool = False,
    allow: list[str] | None = None,
    resume: bool = False,
    as_: str = "",
) -> Any:
    """Upgrade the database to a revision: locked, timed, one transaction a revision, looked at afterwards."""
    from stillroom.commands.migrate import migrate_database
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(",".join(allow or ()))
    return migrate_database(
        *enter(c),
        target=target,
        plan_only=plan,
        wait_s=wait_s,
        shows_data=show_data,
        allowed=allowed,
        resumes=resume,
        settled_as=as_,
    )


@task(
    klass=Command,
    only_looks=True,
    help={
        "target": "Revision to stop at; default: head, the only one; heads applies several.",
        "from": "A backup, as `invoke backups` shows it; default: a fresh copy of the database.",
        "without_data": "On an empty database in which the history was built.",
        "show_data": SHOW_DATA,
        "wait_s": WAIT_S,
    },
)
def rehearse(
    c: Context,
    target: str = "head",
    from_: str = "",
    without_data: bool = False,
    show_data: bool = False,
    wait_s: str = "",
) -> Any:
    """Run what is pending on a copy, up, down and up again, and tell what it costs; ends with 6 when it fails."""
    from stillroom.commands.rehearse import rehearse_database

    return rehearse_database(
        *enter(c), target=target, backup=from_, without_data=without_data, shows_data=show_data, wait_s=wait_s
    )


@task(
    klass=Command,
    help={
        "steps": "How many revisions to undo; default: 1.",
        "target": "Revision to end at, or base; undoes all after it.",
        "plan": "Show what would be undone and what would be lost, touch nothing.",
        "wait_s": WAIT_S,
        "yes": "Answer the question with yes; it lifts no refusal.",
        "allow": ALLOW,
    },
)
def rollback(
    c: Context,
    steps: str = "",
    target: str = "",
    plan: bool = False,
    wait_s: str = "",
    yes: bool = False,
    allow: list[str] | None = None,
) -> Any:
    """Undo the last revisions, after showing how many rows and values die with them."""
    from stillroom.commands.rollback import roll_back_database
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(",".join(allow or ()))
    return roll_back_database(
        *enter(c), steps=steps, target=target, plan_only=plan, wait_s=wait_s, yes=yes, allowed=allowed
    )


@task(
    klass=Command,
    help={
        "yes": "Answer the question with yes; it lifts no refusal.",
        "kick": "End the sessions that hold locks on what is dropped.",
        "seed": "Run the project's seed function afterwards ([stillroom] seed in alembic.ini).",
        "wait_s": WAIT_S,
        "allow": ALLOW,
    },
)
def reset_dev(
    c: Context,
    yes: bool = False,
    kick: bool = False,
    seed: bool = False,
    wait_s: str = "",
    allow: list[str] | None = None,
) -> Any:
    """Drop the public schema of a development database, put its surroundings back, and upgrade from base."""
    from stillroom.commands.reset_dev import reset_database
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(",".join(allow or ()))
    return reset_database(*enter(c), yes=yes, kicks=kick, seeds=seed, wait_s=wait_s, allowed=allowed)


@task(
    klass=Command,
    only_looks=True,
    help={"exit_code": "End with 6 when revisions are pending, or the database is not of this checkout."},
)
def status(c: Context, exit_code: bool = False) -> Any:
    """Show where the database stands: current, head, pending, mark, and who holds the lock."""
    from stillroom.commands.status import show_status

    return show_status(*enter(c), asks=exit_code)


@task(klass=Command, only_looks=True)
def history(c: Context) -> Any:
    """List all revisions, newest first, with what is applied."""
    from stillroom.commands.history import show_history

    return show_history(*enter(c))


@task(
    klass=Command,
    only_looks=True,
    help={
        "heads": "Only look whether there is one head; needs no database.",
        "drift": "Compare the live schema with what its revisions build, and show the statements that would mend it.",
    },
)
def check(c: Context, heads: bool = False, drift: bool = False) -> Any:
    """Compare the models with the database; ends with 6 when they differ."""
    from stillroom.commands.check import check_models

    return check_models(*enter(c), only_heads=heads, drift=drift)


@task(klass=Command, help={"revision": "Revision id, head, heads or base.", "wait_s": WAIT_S, "allow": ALLOW})
def stamp(c: Context, revision: str, wait_s: str = "", allow: list[str] | None = None) -> Any:
    """Write the current revision without running anything, after proving that the schema is there."""
    from stillroom.commands.stamp import stamp_database
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(",".join(allow or ()))
    return stamp_database(*enter(c), revision=revision, wait_s=wait_s, allowed=allowed)


@task(klass=Command, help={"environment": "development, test, staging or production; without it the mark is shown."})
def mark(c: Context, environment: str = "") -> Any:
    """Show or change which environment the database says it is; that decides what is refused there."""
    from stillroom.commands.mark import mark_database

    return mark_database(*enter(c), environment=environment)


@task(klass=Command, only_looks=True)
def config(c: Context) -> Any:
    """Show every setting and where it came from, secrets masked."""
    from stillroom.commands.config import show_config

    return show_config(*enter(c))


@task(klass=Command, only_looks=True)
def doctor(c: Context) -> Any:
    """Look at settings, project, connection, role and database; each finding with what to type; 6 on a problem."""
    from stillroom.commands.doctor import examine

    return examine(*enter(c))


TASKS = (
    make_migration,
    migrate,
    rehearse,
    rollback,
    reset_dev,
    status,
    history,
    check,
    stamp,
    mark,
    config,
    doctor,
)
