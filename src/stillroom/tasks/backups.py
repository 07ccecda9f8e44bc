"""The tasks that keep a copy, and bring one back."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter
from stillroom.tasks.schema import ALLOW, SHOW_DATA, WAIT_S


@task(
    klass=Command,
    help={
        "exclude_table_data": "Tables whose rows are left out, comma separated; * stands for any characters.",
        "schema_only": "Leave all rows out.",
        "lock_wait_timeout": "Longest wait for a table that another session holds, in seconds (default: 60).",
    },
)
def backup(c: Context, exclude_table_data: str = "", schema_only: bool = False, lock_wait_timeout: str = "") -> Any:
    """Back the database up: one moment of it, dumped, read back in full, then given its name."""
    from stillroom.commands.backup import back_up_database

    return back_up_database(*enter(c), exclude=exclude_table_data, schema_only=schema_only, lock_wait=lock_wait_timeout)


@task(
    klass=Command,
    help={
        "backup": "Its name, as `invoke backups` shows it.",
        "into": "Restore into this new database only, and leave the present one alone.",
        "yes": "Answer the question with yes.",
        "allow": ALLOW,
    },
)
def restore(c: Context, backup: str, into: str = "", yes: bool = False, allow: str = "") -> Any:
    """Bring a backup back: into a new database, compared, then swapped in; the old one is kept."""
    from stillroom.commands.restore import restore_backup

    return restore_backup(*enter(c), name=backup, into=into, yes=yes, allow=allow)


@task(
    klass=Command,
    help={
        "target": "Revision to stop at; default: head, the only one; heads applies several.",
        "plan": "Show the revisions, their SQL and where the backup would go; do nothing.",
        "wait_s": WAIT_S,
        "show_data": SHOW_DATA,
        "allow": ALLOW,
    },
)
def backup_then_migrate(
    c: Context, target: str = "head", plan: bool = False, wait_s: str = "", show_data: bool = False, allow: str = ""
) -> Any:
    """Back up, then migrate, under one lock; a backup that fails stops before the first revision."""
    from stillroom.commands.backup_then_migrate import migrate_after_backup
    from stillroom.core.guard import parse_allowed

    allowed = parse_allowed(allow)
    return migrate_after_backup(
        *enter(c), target=target, plan_only=plan, wait_s=wait_s, shows_data=show_data, allowed=allowed
    )


TASKS = (backup, restore, backup_then_migrate)
