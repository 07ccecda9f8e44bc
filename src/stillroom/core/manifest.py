"""The manifest of a backup: what was dumped, from where, with what, and how it was verified."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from stillroom.core.contents import OWN_SCHEMA, Contents, TableRows
from stillroom.core.plain import from_plain, to_plain

FORMAT = 2
READ, RESTORED = "read", "restore"
FILE, DIGEST = "manifest.json", "digest"
DUMP = "dump"


class ManifestError(ValueError):
    """A manifest that cannot be read; the text says why."""


@dataclass(frozen=True)
class DumpFile:
    """One file of the backup: its path below the backup's folder, its size and its hash."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Timings:
    """How long the parts of a backup took, in seconds; together a little less than all of it.

    Args:
        dump: pg_dump, and the counting beside it.
        hash: SHA-256 of every file, and bringing it to the disk.
        proof: Reading it back, or restoring it and comparing.
    """

    dump: float = 0.0
    hash: float = 0.0
    proof: float = 0.0


@dataclass(frozen=True)
class Manifest:
    """A backup's description.

    Args:
        database: The name of the database.
        server: Where it was, in words, without secrets.
        server_version: As "18.6".
        tool: The pg_dump that wrote it: its path.
        tool_version: As "18.6".
        revisions: What the version table held; several heads are possible.
        created_at: When the snapshot was taken, UTC.
        sequence: Counts the backups of a folder; clocks may go back, this does not.
        run: Names the run that made it.
        files: Every file of the dump.
        rows: Row counts of the tables whose rows are in the dump.
        without_rows: Tables whose rows were left out, as "schema.name".
        schema_only: No rows at all.
        verified: How it was proven: "read" (read back in full) or "restore" (restored, and everything compared).
        verified_at: When, UTC.
        seconds: How long it took to make, the proof included.
        verified_where: Where it was restored, in words; empty for "read".
        commit: The project's commit; empty where git does not say.
        is_dirty: Files were changed since that commit.
        schemas: The only schemas in it; none where it is of the whole database.
        contents: What else the database held.
        snapshot: The id that STILLROOM_BACKUP_COMMAND gave; there is no dump then.
        timings: What of `seconds` its parts took.
    """

    database: str
    server: str
    server_version: str
    tool: str
    tool_version: str
    revisions: tuple[str, ...]
    created_at: datetime
    sequence: int
    run: str
    files: tuple[DumpFile, ...]
    rows: tuple[TableRows, ...]
    without_rows: tuple[str, ...]
    schema_only: bool
    verified: str
    verified_at: datetime
    seconds: float
    verified_where: str = ""
    commit: str = ""
    is_dirty: bool = False
    schemas: tuple[str, ...] = ()
    contents: Contents = field(default_factory=Contents)
    snapshot: str = ""
    timings: Timings = field(default_factory=Timings)

    @property
    def size_bytes(self) -> int:
        """The size of the dump's files."""
        return sum(each.size_bytes for each in self.files)

    @property
    def project_rows(self) -> tuple[TableRows, ...]:
        """Those of the project's tables, without our own."""
        return tuple(each for each in self.rows if each.schema != OWN_SCHEMA)

    @property
    def project_without_rows(self) -> tuple[str, ...]:
        """Tables of the project's whose rows were left out."""
        return tuple(each for each in self.without_rows if not each.startswith(f"{OWN_SCHEMA}."))

    @property
    def row_count(self) -> int:
        """All rows of the project's tables in the dump."""
        return sum(each.rows for each in self.project_rows)

    @property
    def server_major(self) -> int:
        """The major version of the server it is from; 0 where that cannot be read."""
        major = self.server_version.partition(".")[0]
        return int(major) if major.isdecimal() else 0

    @property
    def lacks(self) -> str:
        """Say what of the database is not in it; empty for a whole one."""
        if self.schemas:
            return f"the schemas {', '.join(each for each in self.schemas if each != OWN_SCHEMA)} alone"
        if self.schema_only:
            return "no rows"
        return f"without the rows of {', '.join(self.project_without_rows)}" if self.project_without_rows else ""

    @property
    def place(self) -> str:
        """The revisions in words."""
        return ", ".join(self.revisions) or "base"


def write_manifest(manifest: Manifest) -> str:
    """Render a manifest as JSON for people and programs."""
    plain = to_plain(manifest) | {"format": FORMAT}
    return json.dumps(dict(sorted((plain | {DIGEST: _digest(plain)}).items())), indent=2) + "\n"


def _digest(plain: dict[str, Any]) -> str:
    """Hash everything but the digest itself, so that an edit by hand is noticed."""
    others = {name: each for name, each in plain.items() if name != DIGEST}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def read_manifest(text: str) -> Manifest:
    """Parse a manifest; what an older format does not hold is empty.

    Raises:
        ManifestError: It is no JSON, of a newer format, or something in it is missing or not what it should be.
    """
    try:
        given: Any = json.loads(text)
        if given["format"] > FORMAT:
            raise ManifestError(f"its manifest has format {given['format']}, and this stillroom reads up to {FORMAT}")
        if given["format"] >= 2 and given[DIGEST] != _digest(given):
            raise ManifestError("its manifest was changed after it was written")
        manifest = from_plain(Manifest, given)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, RecursionError) as error:
        raise ManifestError("its manifest cannot be read") from error
    except ManifestError:
        raise
    except ValueError as error:
        raise ManifestError("its manifest holds a time that is none, or one without a zone") from error
    assert isinstance(manifest, Manifest)
    for each in manifest.files:
        _require_inside(each.path)
    return manifest


def _require_inside(path: str) -> None:
    """Refuse a path that leads out of the backup: the manifest may have been edited by hand."""
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ManifestError("its manifest names a file outside of it")
