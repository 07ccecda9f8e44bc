"""The commands a project names for its backups."""

from __future__ import annotations

from stillroom.core.own_commands import split_command
from stillroom.settings.sources import Sources, refuse

COMMAND, VERIFY = "STILLROOM_BACKUP_COMMAND", "STILLROOM_BACKUP_VERIFY_COMMAND"


def read_command(sources: Sources, name: str) -> tuple[str, ...]:
    """Read a command line in words; none without one.

    Raises:
        SettingsError: A quote has no end, or no program is named.
    """
    value = sources.read(name)
    if value is None:
        return ()
    try:
        return split_command(value.text)
    except ValueError as error:
        hint = f"quotes are read as a shell reads them, nothing else of it is: `{name}='rclone copy {{path}} far:'`"
        raise refuse(value, f"no command: {str(error).lower()}", hint) from None


def read_snapshot_command(sources: Sources) -> tuple[str, ...]:
    """Read the command that makes a snapshot; the one that verifies it must be there as well.

    Raises:
        SettingsError: It cannot be read, or there is none that verifies.
    """
    words, value = read_command(sources, COMMAND), sources.find(COMMAND)
    if value and not sources.find(VERIFY):
        what = f"{VERIFY} is not set, and a snapshot that nobody verified is no backup"
        raise refuse(value, what, f"write `{VERIFY}='<program> {{id}}'`: it ends with 0 when the snapshot is there")
    return words
