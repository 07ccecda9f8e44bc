"""`invoke backups.pin`: keep a backup whatever the rule says, until the pin is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.commands._kept_backups import require_listed
from stillroom.edges.backup_locks import alone
from stillroom.edges.backup_notes import PIN, read_note, remove_note, write_note
from stillroom.edges.backups import file_system
from stillroom.errors import SettingsError

if TYPE_CHECKING:
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

REASON_MOST = 500


@dataclass(frozen=True)
class Pinned:
    """A backup, and whether it is pinned now.

    Args:
        name: Which.
        is_pinned: It is never pruned.
        was_pinned: It was before.
        reason: Why, as given.
        problem: What is wrong with the backup; empty for a whole one.
    """

    name: str
    is_pinned: bool
    was_pinned: bool
    reason: str
    problem: str


def pin_backup(settings: Settings, terminal: Terminal, *, name: str, off: bool = False, reason: str = "") -> Pinned:
    """Pin a backup, or take the pin away; twice is the same as once.

    Args:
        settings: Where the backups are.
        terminal: Nobody is asked.
        name: As `invoke backups` lists it.
        off: Take the pin away.
        reason: Shown in the list.

    Raises:
        SettingsError: A reason for taking the pin away, or one that is too long.
        RefusedError: There is no such backup.
        ToolError: The folder cannot be written.
    """
    del terminal
    if off and reason:
        raise SettingsError("--reason says why a backup is pinned, and --off takes the pin away", hint="one of the two")
    if len(reason) > REASON_MOST:
        raise SettingsError(f"--reason has {len(reason)} characters", hint=f"at most {REASON_MOST}")
    backup = require_listed(settings.backup_dir, name)
    # A prune looks at the pin under the same lock.
    with file_system(settings.backup_dir), alone(settings.backup_dir):
        backup = require_listed(settings.backup_dir, name)
        before = read_note(backup.path, PIN)
        if off:
            remove_note(backup.path, PIN)
        elif before is None or reason:
            write_note(backup.path, PIN, {"pinned_at": datetime.now(UTC).isoformat(), "reason": reason})
    told = reason or str((before or {}).get("reason", ""))
    return Pinned(name, not off, before is not None, "" if off else told, backup.problem)
