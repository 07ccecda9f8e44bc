"""The backups that are kept: `backups`, `backups.verify`, `backups.prune`, `backups.pin`."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from stillroom.cli import Command, enter
from stillroom.tasks.hints import is_about_all

FAMILY = "backups"


@task(klass=Command, family=FAMILY, is_family=True, only_looks=True)
def show(c: Context) -> Any:
    """List the backups, newest first, and what cannot be used."""
    from stillroom.commands.backups import list_backups

    return list_backups(*enter(c))


@task(
    klass=Command,
    family=FAMILY,
    only_looks=True,
    positional=[] if is_about_all() else ["backup"],
    help={
        "backup": "Its name, as `invoke backups` shows it.",
        "all": "Verify every one of them.",
        "verify": "read: read it back in full (default); restore: restore it into a scratch database and compare everything.",
    },
)
def verify(c: Context, backup: str | None = None, all: bool = False, verify: str = "") -> Any:  # noqa: A002  (the name of the flag)
    """Compare a backup with its hashes and read it in full; ends with 6 when it is damaged."""
    from stillroom.commands.backups.verify import verify_backups

    return verify_backups(*enter(c), name=backup or "", everything=all, verify=verify)


@task(
    klass=Command, family=FAMILY, help={"plan": "Show what would be deleted and why the others stay; delete nothing."}
)
def prune(c: Context, plan: bool = False) -> Any:
    """Delete old backups: STILLROOM_BACKUP_KEEP whole ones stay, and what is younger than STILLROOM_BACKUP_KEEP_DAYS."""
    from stillroom.commands.backups.prune import prune_backups

    return prune_backups(*enter(c), plan_only=plan)


@task(
    klass=Command,
    family=FAMILY,
    help={
        "backup": "Its name, as `invoke backups` shows it.",
        "off": "Take the pin away.",
        "reason": "Why it is pinned; the list shows it.",
    },
)
def pin(c: Context, backup: str, off: bool = False, reason: str = "") -> Any:
    """Keep a backup whatever the rule says, until the pin is taken away."""
    from stillroom.commands.backups.pin import pin_backup

    return pin_backup(*enter(c), name=backup, off=off, reason=reason)


TASKS = (show, verify, prune, pin)
