"""The tasks that keep a copy, and bring one back."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter
from stillroom.tasks.hints import stands_for_a_word
from stillroom.tasks.schema import ALLOW, SHOW_DATA, WAIT_S

VERIFY = (
    "read: read it back in full; restore: restore it and compare everything (default: by the size of the database)."
)


@task(
    klass=Command,
    help={
        "exclude_table_data": "Tables whose rows are left out, comma separated; * stands for any characters.",
        "schema_only": "Leave all rows out.",
        "lock_wait_timeout": "Longest wait for a table that another session holds, in seconds (default: 60).",
        "verify": VERIFY,
    },
)
def backup(
    c: Context, exclude_table_data: str = "", schema_only: bool = False, lock_wait_timeout: str = "", verify: str = ""
) -> Any:
    """Back the database up: one moment of it, dumped, proven, then given its name."""
    from stillroom.commands.backup import back_up_database

    return back_up_database(
        *enter(c), exclude=exclude_table_data, schema_only=schema_only, lock_wait=lock_wait_timeout, verify=verify
    )


@task(
    klass=Command,
    positional=[] if stands_for_a_word("--latest", "--revision") else ["backup"],
    help={
        "backup": "Its name, as `invoke backups` shows it.",
        "latest": "Take the newest good backup of this database.",
        "revision": "Take the newest good backup of this database at this revision.",
        "into": "Restore into this new database only, and leave the present one alone.",
        "plan": "Show what would be done, and what would be lost by it; do nothing.",
        "owners": "--no-owners: everything belongs to the role that is connected, and nobody is granted anything.",
        "yes": "Answer the question with yes.",
        "allow": ALLOW,
    },
)
def restore(
    c: Context,
    backup: str | None = None,
    latest: bool = False,
    revision: str = "",
    into: str = "",
    plan: bool = False,
    owners: bool = True,
    yes: bool = False,
    allow: list[str] | None = None,
) -> Any:
    """Bring a backup back: into a new database, compared, then swapped in; the old one is kept."""
    from stillroom.commands.restore import Asked, restore_backup

    asked = Asked(backup or "", revision, latest, into, plan, owners, yes, ",".join(allow or ()))
    return restore_backup(*enter(c), asked)


@task(
    klass=Command,
    help={
        "target": "Revision to stop at; default: head, the only one; heads applies several.",
        "plan": "Show the revisions, their SQL and where the backup would go; do nothing.",
        "wait_s": WAIT_S,
        "show_data": SHOW_DATA,
        "verify": VERIFY,
        "rehearse": "Run the revisions first on the copy that the backup was restored into (default, where it was).",
        "allow": ALLOW,
    },
)
def backup_then_migrate(
    c: Context,
    target: str = "head",
    plan: bool = False,
    wait_s: str = "",
    show_data: bool = False,
    verify: str = "",
    rehearse: bool = True,
    allow: list[str] | None = None,
) -> Any:
    """Back up, rehearse, then migrate, under one lock; what fails before stops before the first revision."""
    from stillroom.commands.backup_then_migrate import migrate_after_backup
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(",".join(allow or ()))
    return migrate_after_backup(
        *enter(c),
        target=target,
        plan_only=plan,
        wait_s=wait_s,
        shows_data=show_data,
        verify=verify,
        rehearses=rehearse,
        allowed=allowed,
    )


TASKS = (backup, restore, backup_then_migrate)
