"""The manifest of a backup: what was dumped, from where, with what, and how it was verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

FORMAT = 1
OWN_SCHEMA = "stillroom"
FILE = "manifest.json"
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
class TableRows:
    """How many rows a table had in the dump's snapshot, without those of its children."""

    schema: str
    name: str
    rows: int


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
        verified: How it was proven: "read" (read back in full).
        verified_at: When, UTC.
        seconds: How long it took to make.
        snapshot: The id that STILLROOM_BACKUP_COMMAND gave; there is no dump then.
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
    snapshot: str = ""

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
    def place(self) -> str:
        """The revisions in words."""
        return ", ".join(self.revisions) or "base"


def write_manifest(manifest: Manifest) -> str:
    """Render a manifest as JSON for people and programs."""
    plain = asdict(manifest) | {
        "format": FORMAT,
        "created_at": manifest.created_at.isoformat(),
        "verified_at": manifest.verified_at.isoformat(),
    }
    return json.dumps(dict(sorted(plain.items())), indent=2) + "\n"


def read_manifest(text: str) -> Manifest:
    """Parse a manifest.

    Raises:
        ManifestError: It is no JSON, of a newer format, or something is missing in it.
    """
    try:
        given = json.loads(text)
        if given["format"] > FORMAT:
            raise ManifestError(f"its manifest has format {given['format']}, and this stillroom reads up to {FORMAT}")
        return _manifest(given)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, RecursionError) as error:
        raise ManifestError("its manifest cannot be read") from error


def _manifest(given: Mapping[str, Any]) -> Manifest:
    words = {name: _of(str, given[name]) for name in ("database", "server", "server_version", "tool", "tool_version")}
    return Manifest(
        **words,
        revisions=tuple(_of(str, each) for each in given["revisions"]),
        created_at=_time(given["created_at"]),
        sequence=_of(int, given["sequence"]),
        run=_of(str, given["run"]),
        files=tuple(_file(each) for each in given["files"]),
        rows=tuple(TableRows(_of(str, e["schema"]), _of(str, e["name"]), _of(int, e["rows"])) for e in given["rows"]),
        without_rows=tuple(_of(str, each) for each in given["without_rows"]),
        schema_only=_of(bool, given["schema_only"]),
        verified=_of(str, given["verified"]),
        verified_at=_time(given["verified_at"]),
        seconds=float(given["seconds"]),
        snapshot=_of(str, given.get("snapshot", "")),
    )


def _file(given: Mapping[str, Any]) -> DumpFile:
    path = _of(str, given["path"])
    # A manifest edited by hand must not lead out of the backup.
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ManifestError("its manifest names a file outside of it")
    return DumpFile(path, _of(int, given["size_bytes"]), _of(str, given["sha256"]))


def _of(kind: type, value: Any) -> Any:
    """Return the value when it is of the kind; a truth value is no number."""
    if type(value) is not kind:
        raise TypeError(kind)
    return value


def _time(text: object) -> datetime:
    try:
        read = datetime.fromisoformat(_of(str, text))
    except ValueError as error:
        raise ManifestError("its manifest holds a time that is none") from error
    if read.tzinfo is None:
        raise ManifestError("its manifest holds a time without a zone")
    return read
