"""Which pg_dump and pg_restore fit which server, and what they are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stillroom.errors import ToolError

NEWEST_HEADER_MAJOR = 17  # archives of 17 and 18 have the same header; 16 had its own, all before share one
PARALLEL_FROM_BYTES = 64 * 1024 * 1024  # below, starting the workers costs more than they save
JOBS_MOST = 4


class NoToolsError(ToolError):
    """None of the programs on this machine fits; what they would have read is not to blame."""


@dataclass(frozen=True)
class Tools:
    """A folder with pg_dump and pg_restore.

    Args:
        folder: Absolute.
        version: What pg_dump says, as "18.6"; empty when it does not run.
        source: Who named or brought it.
        has_tls: They can encrypt the connection; those of the embedded wheel cannot.
        has_zstd: They know that compression, as far as anybody asked.
    """

    folder: Path
    version: str
    source: str
    has_tls: bool = True
    has_zstd: bool = True

    @property
    def major(self) -> int:
        """The major version, as 18; 0 when the tools do not run."""
        return int(self.version.partition(".")[0] or 0)


@dataclass(frozen=True)
class Need:
    """What the tools must be able to do.

    Args:
        server_major: The server's major version.
        uses_tls: The connection to it is encrypted.
        archive_major: The pg_dump that wrote the archive to restore; 0 for a dump.
        needs_zstd: The archive to restore is compressed with it.
    """

    server_major: int
    uses_tls: bool
    archive_major: int = 0
    needs_zstd: bool = False

    def lack(self, tools: Tools) -> str:
        """Say why these tools do not fit; empty when they do."""
        if not tools.version:
            return "does not run"
        if tools.major < self.server_major:
            return f"older than the server's {self.server_major}"
        if tools.major < min(self.archive_major, NEWEST_HEADER_MAJOR):
            return f"cannot read what pg_dump {self.archive_major} wrote"
        if self.needs_zstd and not tools.has_zstd:
            return "built without zstd, with which the dump is compressed"
        if self.uses_tls and not tools.has_tls:
            return "built without TLS, which the connection uses"
        return ""


def choose_tools(candidates: Iterable[Tools], need: Need) -> Tools:
    """Take the server's own major, else the lowest that is not older; among equals the one that was found first.

    A newer one works for a dump, but what 17 and 18 write, an older server's own pg_restore cannot read.

    Raises:
        NoToolsError: None fits; each is named with its version.
    """
    found = tuple(candidates)
    fitting = [each for each in found if not need.lack(each)]
    if fitting:
        return min(fitting, key=lambda each: each.major)
    seen = "; ".join(f"{each.version or '?'} in {each.folder} ({need.lack(each)})" for each in found)
    major = max(need.server_major, min(need.archive_major, NEWEST_HEADER_MAJOR))
    raise NoToolsError(
        f"pg_dump and pg_restore for PostgreSQL {need.server_major}: none fits; found {seen or 'none at all'}",
        hint=f"install `postgresql-client-{major}`, or set STILLROOM_PG_BIN to the folder of another pg_dump",
    )


def choose_jobs(size_bytes: int, cpus: int) -> int:
    """Choose how many tables are dumped or restored at a time."""
    return 1 if size_bytes < PARALLEL_FROM_BYTES else max(1, min(cpus, JOBS_MOST))


@dataclass(frozen=True)
class DumpOrder:
    """What pg_dump is asked for.

    Args:
        folder: Where the dump goes; it must not exist.
        snapshot: Exported by the session that holds the tables.
        has_zstd: This pg_dump was built with zstd.
        jobs: Tables at a time.
        lock_wait_ms: Longest wait for a table's lock.
        schema_only: No rows.
        without_rows: Tables (schema, name) whose rows are left out.
        schemas: The only ones in it; none for the whole database, with its large objects.
        lock_slots: A `max_locks_per_transaction` that suffices, to be said where the server has fewer.
    """

    folder: Path
    snapshot: str
    has_zstd: bool
    jobs: int
    lock_wait_ms: int
    schema_only: bool = False
    without_rows: tuple[tuple[str, str], ...] = ()
    schemas: tuple[str, ...] = ()
    lock_slots: int = 0


def dump_arguments(tools: Tools, order: DumpOrder) -> list[str]:
    """Write pg_dump's arguments; host, user and password come through the environment and a password file.

    `--no-sync`, because every file is read for its hash afterwards and synced there.
    """
    level = "zstd:1" if order.has_zstd else "gzip:1" if tools.major >= 16 else "1"
    return [
        str(tools.folder / "pg_dump"),
        "--format=directory",
        f"--file={order.folder}",
        f"--jobs={order.jobs}",
        f"--compress={level}",
        f"--snapshot={order.snapshot}",
        f"--lock-wait-timeout={order.lock_wait_ms}",
        "--no-password",
        "--no-sync",
        *(["--schema-only"] if order.schema_only else []),
        # With a schema named, pg_dump leaves the extensions out, and the types that columns have from them.
        *(["--extension=*"] if order.schemas else []),
        *(f"--schema={_quoted(each)}" for each in order.schemas),
        *(f"--exclude-table-data={_quoted(schema)}.{_quoted(name)}" for schema, name in order.without_rows),
    ]


def _quoted(name: str) -> str:
    """Quote a name for one of pg_dump's patterns, where quotes take away the meaning of `*` and `?`."""
    return '"' + name.replace('"', '""') + '"'


def ignores_errors(tools: Tools, server_major: int) -> bool:
    """Tell whether this pg_restore must be let past its own first statement, which an older server does not know."""
    return tools.major >= NEWEST_HEADER_MAJOR > server_major
