"""What a restore makes sure of before it begins: the backup, the role's rights, the guard, and a yes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stillroom.commands._database import look, standing_of
from stillroom.commands._restore_fit import require_fit
from stillroom.commands._way_back import snapshot_back
from stillroom.core.guard import require_allowed
from stillroom.edges.backup_list import Backup, find_damage, read_backups
from stillroom.errors import RefusedError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.commands._database import Target
    from stillroom.commands._steps import Work
    from stillroom.core.manifest import Manifest
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings


def describe_stranger(backup: Backup, target: Target) -> tuple[str, ...]:
    """Say that the backup is of a database with another name; it may be meant, it may be a slip."""
    assert backup.manifest is not None, "only good backups are restored"
    if backup.manifest.database == target.url.name:
        return ()
    return (f"{backup.name} is a backup of {backup.manifest.server}",)


def choose(
    settings: Settings, target: Target, *, name: str, revision: str, latest: bool, say: Callable[[str], None]
) -> Backup:
    """Find the backup that is meant, and compare its files with their hashes.

    Args:
        settings: Where the backups are.
        target: The database that it is for.
        name: Among those that are there: it is compared, never made into a path.
        revision: The newest good one of this database that was made at this revision.
        latest: The newest good one of this database.
        say: Told which newer one is passed over.

    Raises:
        SettingsError: Not exactly one of the three is given.
        RefusedError: There is none, or the one that was named is damaged; the newest good one is named.
    """
    if [bool(name), bool(revision), latest].count(True) != 1:
        raise SettingsError(
            "one backup is to be named: by its name, `--latest`, or `--revision`",
            hint="`invoke backups` lists them; `invoke restore --latest` takes the newest good one",
        )
    if name:
        return require_good(settings.backup_dir, name)
    found = [each for each in read_backups(settings.backup_dir) if each.manifest and is_of(each.manifest, target)]
    fitting = [each for each in found if not revision or (each.manifest and revision in each.manifest.revisions)]
    good = None
    for each in filter(is_whole, fitting):
        problem = find_damage(each)
        if not problem:
            good = each
            break
        say(f"note:  {each.name} is newer, and passed over: {problem}")
    if good is None:
        what = f" at revision {revision}" if revision else ""
        raise RefusedError(
            f"{target.shown}: there is no good backup of it{what} in {settings.backup_dir}",
            hint="`invoke backups` lists what is there",
        )
    return good


def is_whole(backup: Backup) -> bool:
    """Tell a backup of everything from a partial one, and from the record of a managed snapshot."""
    return bool(backup.manifest and not backup.manifest.lacks and not backup.manifest.snapshot)


def is_of(manifest: Manifest, database: Target) -> bool:
    """Tell whether a backup is this database's: the same name on the same server, whoever was connected."""
    place = database.shown if database.is_embedded else replace(database.url, user="").shown
    return manifest.server == place or manifest.server.startswith(f"{place} as ")


def require_good(backup_dir: Path, name: str) -> Backup:
    """Find a backup by its name, which is compared with those that are there, and never made into a path.

    Raises:
        RefusedError: There is none of that name, or it is damaged; the newest good one is named.
    """
    backups = read_backups(backup_dir)
    found = next((each for each in backups if each.name == name), None)
    problem = find_damage(found) if found else "there is no such backup"
    if found and not problem:
        _require_dump(found)
        return found
    good = next((each.name for each in backups if each is not found and is_whole(each) and not find_damage(each)), "")
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
        tool_version: Of the pg_restore that fits.
        notes: What will not be as it was.
    """

    is_live: bool
    into_exists: bool
    why_beside: str
    tool_version: str
    notes: tuple[str, ...]


def look_around(work: Work, backup: Backup, into: str, *, keeps_owners: bool, allowed: frozenset[str]) -> Situation:
    """Look what is there, what the role may do and what the backup needs, before anything is asked or done.

    Raises:
        RefusedError: The role may not create databases, the new one holds something, or the backup does not fit the server.
        ToolError: No pg_restore fits.
    """
    from stillroom.edges.postgres import databases
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.mark import is_empty

    url = work.target.url
    with closing(databases.connect_beside_or_to(url, command=work.command)) as admin:
        live = databases.read_database(admin, url.name)
        there = databases.read_database(admin, into) if into else None
        if there is None and not databases.may_create(admin):
            raise _may_not_create(work, backup, into)
        tools, notes = require_fit(work, admin, backup, there or live, keeps_owners=keeps_owners, allowed=allowed)
        is_beside = admin.info.dbname != url.name
    if there:
        with closing(connect(url, command=work.command, database=into)) as empty:
            if into == url.name or not is_empty(empty):
                raise RefusedError(f"{into} is there and holds something", hint="name a new database, or an empty one")
    why = "" if is_beside else "the role may connect to no other database of this server"
    if not why and live and not live.is_ours:
        why = f"{url.name} belongs to {live.owner}, and only its owner may rename it"
    if not why and backup.manifest and backup.manifest.lacks:
        why = f"the backup is partial: {backup.manifest.lacks}"
    return Situation(live is not None, there is not None, why, tools.version, notes)


def _may_not_create(work: Work, backup: Backup, into: str) -> RefusedError:
    """Name the right that is missing, and the way without it."""
    role, new = work.target.url.user or "the role", into or f"{work.target.url.name}_restored"
    return RefusedError(
        f"{work.target.url.shown}: this role may not create databases (it lacks CREATEDB)",
        hint=f'have an empty one made, `CREATE DATABASE "{new}" OWNER "{role}" TEMPLATE template0;`, then '
        f"`invoke restore {backup.name} --into {new}`, and write {new} as the database's name in DATABASE_URL",
    )


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
