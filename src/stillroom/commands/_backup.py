"""What the commands about backups share: what is wanted, what is told, which tools, and how a signal ends it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stillroom.core.archive_tools import needs_zstd
from stillroom.core.contents import OWN_SCHEMA
from stillroom.core.manifest import Timings
from stillroom.core.pg_tools import Need, Tools, choose_tools
from stillroom.errors import DatabaseError, InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from stillroom.core.manifest import Manifest
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

LACKS_RIGHT = "(42501)"
LOCK_WAIT_S = 60.0  # a reader that waits for a table blocks nobody but those who want it for themselves


@dataclass(frozen=True)
class Wanted:
    """What a backup shall hold.

    Args:
        run: Names the run; it is found again in the manifest.
        schema_only: No rows.
        exclude: Tables, or patterns of them, whose rows are left out.
        lock_wait_s: Longest wait for a table.
        verify: "read", "restore", or empty for what the size of the database allows.
    """

    run: str
    schema_only: bool = False
    exclude: tuple[str, ...] = ()
    lock_wait_s: float = LOCK_WAIT_S
    verify: str = ""


@dataclass(frozen=True)
class BackupSummary:
    """A backup in short.

    Args:
        name: What `invoke restore` takes.
        path: Its folder.
        revisions: What the database was at.
        created_at: When the snapshot was taken, UTC.
        size_bytes: Of the dump.
        tables: How many tables' rows are in it.
        rows: How many rows these are.
        without_rows: Tables whose rows were left out.
        schema_only: There are no rows in it.
        tool_version: The version of pg_dump.
        server_version: The version of the server.
        verified: How it was proven: "read" back in full, or "restore": restored, and everything compared;
            "command" by that of a snapshot.
        verified_where: Where it was restored, in words.
        notes: What to know about the proof, in words.
        seconds: How long it took.
        lacks: What of the database is not in it; empty for a whole one.
        snapshot: The id of the managed snapshot that stands for a dump; empty for a dump.
        timings: What of `seconds` the parts took.
    """

    name: str
    path: Path
    revisions: tuple[str, ...]
    created_at: datetime
    size_bytes: int
    tables: int
    rows: int
    without_rows: tuple[str, ...]
    schema_only: bool
    tool_version: str
    server_version: str
    verified: str
    verified_where: str
    notes: tuple[str, ...]
    seconds: float
    lacks: str = ""
    snapshot: str = ""
    timings: Timings = field(default_factory=Timings)


def summarize(path: Path, manifest: Manifest, notes: tuple[str, ...] = ()) -> BackupSummary:
    """Shorten a manifest to what a person wants to know."""
    return BackupSummary(
        name=path.name,
        path=path,
        revisions=manifest.revisions,
        created_at=manifest.created_at,
        size_bytes=manifest.size_bytes,
        tables=len(manifest.project_rows),
        rows=manifest.row_count,
        without_rows=manifest.project_without_rows,
        schema_only=manifest.schema_only,
        tool_version=manifest.tool_version,
        server_version=manifest.server_version,
        verified=manifest.verified,
        verified_where=manifest.verified_where,
        notes=notes,
        seconds=manifest.seconds,
        lacks=manifest.lacks,
        snapshot=manifest.snapshot,
        timings=manifest.timings,
    )


@contextmanager
def listing_unreadable(settings: Settings, terminal: Terminal, *, command: str) -> Iterator[None]:
    """Where the role may not even read the revision, list all that a backup of it would lack.

    Raises:
        DatabaseError: The server refused.
    """
    from stillroom.commands._database import reach_database
    from stillroom.edges.postgres.connect import connect
    from stillroom.edges.postgres.snapshot import require_readable

    try:
        yield
    except DatabaseError as error:
        if LACKS_RIGHT in error.message:
            schemas = (*settings.backup_schemas, OWN_SCHEMA) if settings.backup_schemas else ()
            with closing(connect(reach_database(settings, terminal).url, command=command)) as connection:
                require_readable(connection, schemas)
        raise


@contextmanager
def interruptible(connection: Connection, message: str, hint: str) -> Iterator[None]:
    """Turn a signal into one sentence; the running statement is cancelled in the server.

    Raises:
        InterruptedRunError: A signal came; message says what holds now.
    """
    from stillroom.edges.interrupt import cancelling

    with cancelling(connection) as flag:
        try:
            yield
        except InterruptedRunError:
            raise
        except BaseException:
            # The flag decides: the interruption may arrive as an error of the server or of a program.
            if flag.is_set:
                raise InterruptedRunError(message, hint=hint) from None
            raise


def find_fitting_tools(
    settings: Settings, connection: Connection, *, archive_version: str = "", dump: Path | None = None
) -> Tools:
    """Choose the pg_dump and pg_restore for a server.

    Args:
        settings: Where to look.
        connection: To the server.
        archive_version: The pg_dump that wrote the archive to restore; empty for a dump.
        dump: The folder to restore.

    Raises:
        ToolError: None fits.
    """
    from stillroom.edges.pg_tools import find_tools, has_zstd

    is_zstd = dump is not None and needs_zstd(each.name for each in dump.glob("*"))
    archive_major = int(archive_version.partition(".")[0] or 0)
    need = Need(connection.info.server_version // 10_000, connection.info.ssl_in_use, archive_major, is_zstd)
    found = find_tools(settings.pg_bin, settings.child_environment)
    if is_zstd:
        found = tuple(replace(each, has_zstd=has_zstd(each, settings.child_environment)) for each in found)
    return choose_tools(found, need)
