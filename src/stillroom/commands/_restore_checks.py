"""What a restore makes sure of before it begins: the backup, the role's rights, the guard, and a yes."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._backup import snapshot_back
from stillroom.commands._database import look, standing_of
from stillroom.core.guard import require_allowed
from stillroom.edges.backup_list import Backup, find_damage, read_backups
from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.commands._database import Target
    from stillroom.commands._steps import Work
    from stillroom.edges.terminal import Terminal


def describe_stranger(backup: Backup, target: Target) -> tuple[str, ...]:
    """Say that the backup is of a database with another name; it may be meant, it may be a slip."""
    assert backup.manifest is not None, "only good backups are restored"
    if backup.manifest.database == target.url.name:
        return ()
    return (f"{backup.name} is a backup of {backup.manifest.server}",)


def require_good(backup_dir: Path, name: str) -> Backup:
    """Find the backup among those that are there; a name is compared, never made into a path.

    Raises:
        RefusedError: There is none of that name, or it is damaged; the newest good one is named.
    """
    backups = read_backups(backup_dir)
    found = next((each for each in backups if each.name == name), None)
    problem = find_damage(found) if found else "there is no such backup"
    if found and not problem:
        _require_dump(found)
        return found
    good = next((each.name for each in backups if each is not found and not find_damage(each)), "")
    hint = f"the newest good one: `invoke restore {good}`" if good else "`invoke backups` lists what is there"
    raise RefusedError(f"{name!r}: {problem}" if not found else f"{name}: {problem}", hint=hint)


def _require_dump(backup: Backup) -> None:
    """Refuse the record of a managed snapshot: there is nothing here to restore."""
    if backup.manifest and backup.manifest.snapshot:
        message = f"{backup.name} is the record of snapshot {backup.manifest.snapshot}, and holds no rows"
        raise RefusedError(message, hint=snapshot_back(backup.manifest.snapshot))


@dataclass(frozen=True)
class Situation:
    """What is on the server before a restore.

    Args:
        is_live: The database of DATABASE_URL exists.
        into_exists: The new database exists already, and is empty.
        why_beside: Why the role cannot swap; empty when it can.
    """

    is_live: bool
    into_exists: bool
    why_beside: str


def look_around(work: Work, into: str) -> Situation:
    """Look what is there and what the role may do, before anything is asked or done.

    Raises:
        RefusedError: The role may not create databases, or the new one holds something.
    """
    from stillroom.edges.postgres import databases
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.mark import is_empty

    url = work.target.url
    with closing(databases.connect_beside_or_to(url, command=work.command)) as admin:
        live = databases.read_database(admin, url.name)
        exists = bool(into) and databases.read_database(admin, into) is not None
        if not exists and not databases.may_create(admin):
            raise RefusedError(
                f"{url.shown}: this role may not create databases",
                hint="have an empty one made by an administrator, then `--into <its name>`",
            )
        is_beside = admin.info.dbname != url.name
    if exists:
        with closing(connect(url, command=work.command, database=into)) as there:
            if into == url.name or not is_empty(there):
                raise RefusedError(f"{into} is there and holds something", hint="name a new database, or an empty one")
    why = "" if is_beside else "the role may connect to no other database of this server"
    if not why and live and not live.is_ours:
        why = f"{url.name} belongs to {live.owner}, and only its owner may rename it"
    return Situation(live is not None, exists, why)


def require_swap(work: Work, terminal: Terminal, backup: Backup, *, yes: bool, allowed: frozenset[str]) -> bool:
    """Let the guard decide, then ask; return whether the database is protected.

    Raises:
        RefusedError: The guard's table says so, or the question was not answered with yes.
    """
    current = look(work.target, work.project, work.settings, command=work.command)
    standing = standing_of(work.settings, work.target, current, terminal)
    require_allowed("restore by swap", standing, allowed=allowed, command=f"restore {backup.name}")
    if standing.is_protected or yes:
        return standing.is_protected
    assert backup.manifest is not None
    if not terminal.is_interactive:
        message = f"{work.target.shown} would be replaced, and there is nobody to ask"
        raise RefusedError(message, hint=f"if that is meant: `invoke restore {backup.name} --yes`")
    made = f"{backup.manifest.created_at:%Y-%m-%d %H:%M} UTC, at {backup.manifest.place}"
    question = f"put the backup of {made}, in the place of {work.target.shown} (which is kept under another name)?"
    if not terminal.confirm(question):
        hint = f"`invoke restore {backup.name} --into <name>` leaves the present one alone"
        raise RefusedError("not restored, nothing was touched", hint=hint)
    return False
