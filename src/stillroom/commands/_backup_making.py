"""Make one backup on the connection that holds the migration lock: dump, read back, describe, rename."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.commands._backup import BackupSummary, Wanted, find_fitting_tools, interruptible, summarize
from stillroom.commands._room import require_room
from stillroom.core.backup_names import backup_name, clean, match_tables
from stillroom.core.copy_rows import find_difference
from stillroom.core.manifest import DUMP, OWN_SCHEMA, DumpFile, Manifest, TableRows, write_manifest
from stillroom.core.pg_tools import DumpOrder, Tools, choose_jobs
from stillroom.edges.backup_list import read_backup, read_backups
from stillroom.edges.backups import publish, sync_and_hash, unfinished
from stillroom.edges.pg_access import access, reach
from stillroom.edges.pg_programs import dumping, read_back
from stillroom.edges.pg_tools import has_zstd
from stillroom.edges.postgres.snapshot import Snapshot, count_rows, exported_snapshot
from stillroom.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.commands._steps import Work
    from stillroom.edges.postgres.session import Migrating

READ_IN_FULL = "read"


def make_backup(work: Work, held: Migrating, say: Callable[[str], None], wanted: Wanted) -> BackupSummary:
    """Make a backup and prove it by reading it back in full; it exists when this returns, and not before.

    Raises:
        RefusedError: A pattern of `exclude` matches no table.
        DatabaseError: The role may not read a table, or the server failed.
        ToolError: No pg_dump fits, it failed, or the file system did; nothing is kept.
        InterruptedRunError: A signal; nothing is kept.
    """
    hint = f"`invoke {work.command}` starts anew; older backups are untouched"
    with interruptible(held.connection, "interrupted; no backup was made", hint):
        tools = find_fitting_tools(work.settings, held.connection)
        say(f"backing up {work.target.shown} with pg_dump {tools.version}")
        with unfinished(work.settings.backup_dir, clean(held.current.database)) as partial:
            return _Making(work, held, wanted, tools, partial).run()


@dataclass(frozen=True)
class _Dumped:
    """What pg_dump wrote, and what was counted meanwhile."""

    created_at: datetime
    rows: tuple[TableRows, ...]
    without_rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Making:
    """One backup under way."""

    work: Work
    held: Migrating
    wanted: Wanted
    tools: Tools
    partial: Path

    def run(self) -> BackupSummary:
        """Dump, prove, describe; the snapshot is closed before the proof begins, because others wait for it."""
        started, current = time.monotonic(), self.held.current
        place = reach(
            self.work.target.url, self.work.settings.child_environment, self.held.connection, major=self.tools.major
        )
        with access(place, self.work.command) as environment:
            with exported_snapshot(self.held.connection, lock_wait_ms=self._lock_wait_ms) as snapshot:
                require_room(self.partial, self.work.target.shown, snapshot.size_bytes, self.wanted)
                dumped = self._dump(snapshot, environment)
            files = sync_and_hash(self.partial)
            read = read_back(self.tools, self.partial / DUMP, environment)
        self._require_whole(dumped, read)
        name = backup_name(current.database, dumped.created_at, current.revisions)
        path = publish(self.partial, name, lambda: write_manifest(self._describe(dumped, files, started)))
        written = read_backup(path)
        assert written.manifest is not None, "a manifest that was written a moment ago"
        return summarize(path, written.manifest)

    def _require_whole(self, dumped: _Dumped, read: tuple[TableRows, ...]) -> None:
        """Compare what was read back with what was counted in the snapshot."""
        difference = find_difference(read, dumped.rows)
        if difference:
            raise ToolError(f"the dump is not whole: {difference}", hint="run it again; older backups are untouched")

    @property
    def _lock_wait_ms(self) -> int:
        return int(self.wanted.lock_wait_s * 1000)

    def _dump(self, snapshot: Snapshot, environment: dict[str, str]) -> _Dumped:
        """Let pg_dump write while the rows are counted in the same snapshot."""
        created_at = datetime.now(UTC)
        # Ours are small, and not the project's to leave out.
        names = [(each.schema, each.name) for each in snapshot.tables if each.schema != OWN_SCHEMA]
        without = match_tables(names, self.wanted.exclude)
        order = DumpOrder(
            folder=self.partial / DUMP,
            snapshot=snapshot.token,
            # Rows that a cut zstd file lacks are missed by counting; bytes of large objects would not be.
            has_zstd=not snapshot.has_large_objects and has_zstd(self.tools, self.work.settings.child_environment),
            jobs=choose_jobs(snapshot.size_bytes, os.cpu_count() or 1),
            lock_wait_ms=self._lock_wait_ms,
            schema_only=self.wanted.schema_only,
            without_rows=without,
        )
        with_rows = {(each.schema, each.name) for each in snapshot.tables if each.has_rows and not order.schema_only}
        with dumping(self.tools, order, environment) as finish:
            rows = count_rows(self.held.connection, sorted(with_rows - set(without)))
            finish()
        return _Dumped(created_at, rows, without)

    def _describe(self, dumped: _Dumped, files: tuple[DumpFile, ...], started: float) -> Manifest:
        number = self.held.connection.info.server_version
        earlier = (each.manifest.sequence for each in read_backups(self.partial.parent) if each.manifest)
        return Manifest(
            database=self.held.current.database,
            server=self.work.target.shown,
            server_version=f"{number // 10_000}.{number % 10_000}",
            tool=str(self.tools.folder / "pg_dump"),
            tool_version=self.tools.version,
            revisions=self.held.current.revisions,
            created_at=dumped.created_at,
            sequence=1 + max(earlier, default=0),
            run=self.wanted.run,
            files=files,
            rows=dumped.rows,
            without_rows=tuple(".".join(each) for each in dumped.without_rows),
            schema_only=self.wanted.schema_only,
            verified=READ_IN_FULL,
            verified_at=datetime.now(UTC),
            seconds=round(time.monotonic() - started, 3),
        )
