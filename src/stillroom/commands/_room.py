"""Is there room for the dump? Asked before it begins: a disk that fills up takes others along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.core.room import LEAST_BYTES, estimate_dump_bytes
from stillroom.edges.backup_list import read_backups
from stillroom.edges.backups import file_system
from stillroom.edges.disks import free_bytes
from stillroom.errors import ToolError
from stillroom.report._amounts import size

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.commands._backup import Wanted

HINT = "make room there (`invoke backups.prune --plan` shows what may go), or name another folder in STILLROOM_BACKUP_DIR; nothing was kept"


def require_room(partial: Path, server: str, database_bytes: int, wanted: Wanted) -> None:
    """Compare the free room with an estimate; what leaves rows out is compared with its own like only.

    Args:
        partial: The folder of the backup under way.
        server: The database in words, as the manifests have it.
        database_bytes: What `pg_database_size` says.
        wanted: What the backup shall hold.

    Raises:
        ToolError: The room will not do; both numbers are named.
    """
    last = _find_last_size(partial.parent, server, wanted)
    if last is None and (wanted.schema_only or wanted.exclude):
        needed, basis = LEAST_BYTES, "the least that any backup takes"
    else:
        needed, basis = estimate_dump_bytes(last, database_bytes)
    with file_system(partial):
        free = free_bytes(partial)
    if free is not None and free < needed:
        message = f"{partial.parent} has {size(free)} of room left, and the backup may take {size(needed)} ({basis})"
        raise ToolError(message, hint=HINT)


def _find_last_size(backup_dir: Path, server: str, wanted: Wanted) -> int | None:
    """Find the size of the last backup of the same database that leaves rows out where this one does."""
    for each in read_backups(backup_dir):
        manifest = each.manifest
        if manifest is None or manifest.server != server or manifest.snapshot:
            continue
        if manifest.schema_only == wanted.schema_only and bool(manifest.without_rows) == bool(wanted.exclude):
            return manifest.size_bytes
    return None
