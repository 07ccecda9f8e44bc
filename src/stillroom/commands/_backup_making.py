"""Make one backup on the connection that holds the migration lock: dump, prove, describe, rename."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stillroom.commands._backup import BackupSummary, Wanted, find_fitting_tools, interruptible, summarize
from stillroom.commands._proving import Proof, Proven, choose_level, prove
from stillroom.commands._room import require_room
from stillroom.commands._watching import Reading, Said, dump_lines, watching
from stillroom.core.backup_names import backup_name, clean, match_tables
from stillroom.core.contents import OWN_SCHEMA, Contents, LargeObjects, TableRows
from stillroom.core.manifest import DUMP, RESTORED, DumpFile, Manifest, Timings, write_manifest
from stillroom.core.pg_tools import DumpOrder, Tools, choose_jobs
from stillroom.edges.backup_list import read_backup, read_backups
from stillroom.edges.backups import publish, sync_and_hash, unfinished
from stillroom.edges.pg_access import access, reach
from stillroom.edges.pg_programs import dumping
from stillroom.edges.pg_tools import has_zstd
from stillroom.edges.postgres.contents import read_contents
from stillroom.edges.postgres.rows import count_rows
from stillroom.edges.postgres.snapshot import Snapshot, exported_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from stillroom.commands._copying import Copy
    from stillroom.commands._steps import Work
    from stillroom.edges.child_body import Voice
    from stillroom.edges.postgres.session import Migrating


@dataclass(frozen=True)
class Made:
    """A backup that exists now.

    Args:
        backup: It.
        copy: The database that it was restored into for the proof; None where it was read back only.
    """

    backup: BackupSummary
    copy: Copy | None


@contextmanager
def making_backup(work: Work, held: Migrating, say: Voice, wanted: Wanted) -> Iterator[Made]:
    """Make a backup and prove it; it exists when the block begins, and the copy it was restored into lasts as long as that.

    Raises:
        RefusedError: A pattern of `exclude` matches no table, or it cannot be proven as it was asked for.
        DatabaseError: The role may not read a table, or the server failed.
        ToolError: No pg_dump fits, it failed, or the file system did; nothing is kept.
        InterruptedRunError: A signal; nothing is kept.
    """
    hint = f"`invoke {work.command}` starts anew; older backups are untouched"
    with ExitStack() as kept:
        with interruptible(held.connection, "interrupted; no backup was made", hint):
            tools = find_fitting_tools(work.settings, held.connection)
            say(f"backing up {work.target.shown} with pg_dump {tools.version}")
            with unfinished(work.settings.backup_dir, clean(held.current.database)) as partial:
                made = _Making(work, held, wanted, tools, partial, say, kept).run()
        yield made


@contextmanager
def fresh_copy(work: Work, held: Migrating, say: Voice) -> Iterator[Copy]:
    """Copy the database as a backup would, restored and compared, and keep no backup.

    Raises:
        NoCopyError: There is no place for a copy.
        DatabaseError: The role may not read a table, or a server failed.
        ToolError: No pg_dump fits, it failed, or the file system did.
        InterruptedRunError: A signal.
    """
    wanted = Wanted("", verify=RESTORED)
    with ExitStack() as kept:
        with interruptible(held.connection, "interrupted; nothing was kept", f"`invoke {work.command}` starts anew"):
            tools = find_fitting_tools(work.settings, held.connection)
            say(f"copying {work.target.shown} with pg_dump {tools.version}")
            with unfinished(work.settings.backup_dir, clean(held.current.database)) as partial:
                proven = _Making(work, held, wanted, tools, partial, say, kept).prove().proven
        assert proven.copy is not None, "a restore leaves a copy"
        yield proven.copy


@dataclass(frozen=True)
class _Dumped:
    """What pg_dump wrote, and what was read meanwhile."""

    created_at: datetime
    level: str
    rows: tuple[TableRows, ...]
    without_rows: tuple[tuple[str, str], ...]
    contents: Contents


@dataclass(frozen=True)
class _Whole:
    """A dump that was proven, its files, and how long each of it took."""

    dumped: _Dumped
    files: tuple[DumpFile, ...]
    proven: Proven
    timings: Timings


@dataclass(frozen=True)
class _Making:
    """One backup under way."""

    work: Work
    held: Migrating
    wanted: Wanted
    tools: Tools
    partial: Path
    say: Voice
    kept: ExitStack

    def run(self) -> Made:
        """Dump, prove, describe, and give it its name."""
        started, current = time.monotonic(), self.held.current
        whole = self.prove()
        name = backup_name(current.database, whole.dumped.created_at, current.revisions)
        path = publish(self.partial, name, lambda: write_manifest(self._describe(whole, started)))
        written = read_backup(path)
        assert written.manifest is not None, "a manifest that was written a moment ago"
        return Made(summarize(path, written.manifest, whole.proven.notes), whole.proven.copy)

    def prove(self) -> _Whole:
        """Dump and prove; the snapshot is closed before the proof begins, because others wait for it."""
        place = reach(
            self.work.target.url, self.work.settings.child_environment, self.held.connection, major=self.tools.major
        )
        with access(place, self.work.command) as environment:
            began = time.monotonic()
            with exported_snapshot(
                self.held.connection, lock_wait_ms=self._lock_wait_ms, schemas=self._schemas
            ) as snapshot:
                require_room(self.partial, self.work.target.shown, snapshot.size_bytes, self.wanted)
                dumped = self._dump(snapshot, environment)
            ended = time.monotonic()
            with watching(self.say, Said("hashing the dump").lines):
                files = sync_and_hash(self.partial)
            hashed = time.monotonic()
            major = self.held.connection.info.server_version // 10_000
            proof = Proof(
                self.work, self.partial / DUMP, self.tools, dumped.rows, dumped.contents, self.say, major, self._schemas
            )
            proven = prove(proof, dumped.level, environment, self.kept, is_asked=bool(self.wanted.verify))
            taken = (ended - began, hashed - ended, time.monotonic() - hashed)
            return _Whole(dumped, files, proven, Timings(*(round(each, 3) for each in taken)))

    @property
    def _schemas(self) -> tuple[str, ...]:
        """The only ones in it; our own goes with them."""
        limited = self.work.settings.backup_schemas
        return (*limited, OWN_SCHEMA) if limited else ()

    @property
    def _lock_wait_ms(self) -> int:
        return int(self.wanted.lock_wait_s * 1000)

    def _dump(self, snapshot: Snapshot, environment: dict[str, str]) -> _Dumped:
        """Let pg_dump write while the rows are counted, or hashed, in the same snapshot."""
        created_at = datetime.now(UTC)
        # Ours are small, and not the project's to leave out.
        names = [(each.schema, each.name) for each in snapshot.tables if each.schema != OWN_SCHEMA]
        without = match_tables(names, self.wanted.exclude)
        level = self.wanted.verify or choose_level(self.work.settings, snapshot.size_bytes)
        # Sequences above all are read before pg_dump reads them: they go on, in whatever snapshot.
        contents = read_contents(
            self.held.connection,
            version_table=self.work.project.layout.version_table,
            hashes=level == RESTORED and not self.wanted.schema_only,
            schemas=self._schemas,
        )
        if self.wanted.schema_only:
            contents = replace(contents, sequences=(), large_objects=LargeObjects())
        order = DumpOrder(
            folder=self.partial / DUMP,
            snapshot=snapshot.token,
            has_zstd=self._may_use_zstd(contents) and has_zstd(self.tools, self.work.settings.child_environment),
            jobs=choose_jobs(snapshot.size_bytes, os.cpu_count() or 1),
            lock_wait_ms=self._lock_wait_ms,
            schema_only=self.wanted.schema_only,
            without_rows=without,
            schemas=self._schemas,
            lock_slots=snapshot.lock_slots,
        )
        with_rows = {(each.schema, each.name) for each in snapshot.tables if each.has_rows and not order.schema_only}
        tables = sorted(with_rows - set(without))
        reading = Reading("reading", len(tables))
        oids = [each.oid for each in snapshot.tables if (each.schema, each.name) in tables]
        lines = dump_lines(self.work, self.say, self.held.connection, oids, order.folder, reading)
        with dumping(self.tools, order, environment) as finish, watching(self.say, lines):
            rows = count_rows(self.held.connection, tables, hashes=level == RESTORED, tell=reading)
            finish()
        return _Dumped(created_at, level, rows, without, contents)

    def _may_use_zstd(self, contents: Contents) -> bool:
        """Rows that a cut zstd file lacks are missed by counting; bytes of large objects only when those are compared.

        That they will be is certain where a restore was asked for: one that was merely chosen may become a reading.
        """
        return not contents.large_objects.count or self.wanted.verify == RESTORED

    def _describe(self, whole: _Whole, started: float) -> Manifest:
        dumped, proven = whole.dumped, whole.proven
        number = self.held.connection.info.server_version
        earlier = (each.manifest.sequence for each in read_backups(self.partial.parent) if each.manifest)
        facts = self.work.facts
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
            files=whole.files,
            rows=dumped.rows,
            without_rows=tuple(".".join(each) for each in dumped.without_rows),
            schema_only=self.wanted.schema_only,
            verified=proven.level,
            verified_at=datetime.now(UTC),
            seconds=round(time.monotonic() - started, 3),
            verified_where=proven.where,
            schemas=self._schemas,
            commit=facts.commit,
            is_dirty=facts.is_dirty,
            contents=dumped.contents,
            timings=whole.timings,
        )
