"""`invoke backups.verify`: is a backup still what was written then? It needs no database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stillroom.commands._kept_backups import find_problem, read_published, require_listed
from stillroom.commands._proving import read_level
from stillroom.commands._proving_again import ProvenAgain, prove_by_restore
from stillroom.core.archive_tools import choose_readers, needs_zstd
from stillroom.core.copy_rows import find_difference
from stillroom.core.manifest import READ, RESTORED
from stillroom.edges.backup_locks import in_use
from stillroom.errors import AnswerNoError, SettingsError, ToolError

if TYPE_CHECKING:
    from stillroom.core.manifest import Manifest
    from stillroom.core.pg_tools import Tools
    from stillroom.edges.backup_list import Backup
    from stillroom.edges.terminal import Terminal
    from stillroom.settings import Settings

HINT = "make another: `invoke backup`; `invoke backups.verify --all` tells which ones are whole"


@dataclass(frozen=True)
class VerifiedBackup:
    """What one backup turned out to be.

    Args:
        name: Which.
        problem: What is wrong with it; empty for a whole one.
        unverified: Why nobody can say whether something is; empty where that is known.
        is_exempt: It is not verified because the project has set nothing that could, which is no failure.
        files: How many files were compared by size and SHA-256.
        size_bytes: Their size.
        tables: How many tables' rows were counted in the dump.
        rows: How many rows these are.
        tool_version: The pg_restore that read it; empty when none did.
        where: Where it was restored and compared, in words; empty where it was read only.
        notes: What is not as it was, without a loss.
        snapshot: The id of the snapshot that its command was asked about; empty for a dump.
        seconds: How long it took.
    """

    name: str
    problem: str
    unverified: str = ""
    is_exempt: bool = False
    files: int = 0
    size_bytes: int = 0
    tables: int = 0
    rows: int = 0
    tool_version: str = ""
    where: str = ""
    notes: tuple[str, ...] = ()
    snapshot: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class BackupsVerified:
    """What was verified, newest first."""

    backups: tuple[VerifiedBackup, ...]

    @property
    def exit_code(self) -> int:
        """6 when one of them is damaged, else 5 when nobody can say of one whether it is."""
        if any(each.problem for each in self.backups):
            return 6
        return 5 if any(each.unverified and not each.is_exempt for each in self.backups) else 0


def verify_backups(
    settings: Settings, terminal: Terminal, *, name: str = "", everything: bool = False, verify: str = ""
) -> BackupsVerified:
    """Compare every file with its hash, read the dump in full, and compare its rows with those counted then.

    Args:
        settings: Where the backups and the tools are.
        terminal: Told which one is read.
        name: As `invoke backups` lists it.
        everything: Verify all that have their final name; damage is told at the end then.
        verify: "read" (the default), or "restore": into a scratch database, and everything compared.

    Raises:
        SettingsError: Not one of name and everything, or the one that was named is a snapshot that no command can verify.
        RefusedError: There is no such backup.
        AnswerNoError: The one that was named is damaged.
        ToolError: No pg_restore can read it, or the folder cannot be read.
    """
    level = read_level(verify) or READ
    if bool(name) == everything:
        message = "either one backup is verified, or all of them"
        raise SettingsError(message, hint="`invoke backups.verify <name>`, or `--all` instead of the name")
    if everything:
        return BackupsVerified(
            tuple(_verify_one_of_all(settings, terminal, each, level) for each in read_published(settings.backup_dir))
        )
    found = _verify(settings, terminal, require_listed(settings.backup_dir, name), level)
    if found.is_exempt:
        raise SettingsError(f"{name}: {found.unverified}", hint="set it to a command that asks about `{id}`")
    if found.problem:
        raise AnswerNoError(f"{name}: {found.problem}", hint=HINT)
    return BackupsVerified((found,))


def _verify_one_of_all(settings: Settings, terminal: Terminal, backup: Backup, level: str) -> VerifiedBackup:
    """Verify one, and go on with the others where that cannot be done."""
    from stillroom.commands._copying import NoCopyError

    try:
        return _verify(settings, terminal, backup, level)
    except (ToolError, NoCopyError) as error:
        return VerifiedBackup(backup.name, "", f"{error.message}; {error.hint}")


def _verify(settings: Settings, terminal: Terminal, backup: Backup, level: str) -> VerifiedBackup:
    started = time.monotonic()
    with in_use(backup.path):
        terminal.say(f"verifying {backup.name}")
        problem = find_problem(backup)
        if problem or backup.manifest is None:
            return VerifiedBackup(backup.name, problem, seconds=_since(started))
        manifest = backup.manifest
        if manifest.snapshot and not settings.backup_verify_command:
            why = f"of snapshot {manifest.snapshot} nobody can be asked: STILLROOM_BACKUP_VERIFY_COMMAND is not set"
            return VerifiedBackup(backup.name, "", why, is_exempt=True, snapshot=manifest.snapshot)
        proven = _prove(settings, terminal, backup, level)
    return VerifiedBackup(
        name=backup.name,
        problem=proven.problem,
        files=len(manifest.files),
        size_bytes=manifest.size_bytes,
        tables=len(manifest.project_rows),
        rows=manifest.row_count,
        tool_version=proven.tool_version,
        where=proven.where,
        notes=proven.notes,
        snapshot=manifest.snapshot,
        seconds=_since(started),
    )


def _prove(settings: Settings, terminal: Terminal, backup: Backup, level: str) -> ProvenAgain:
    """Prove a backup whose files are what was written: the one place that knows the levels of proof."""
    manifest = backup.manifest
    assert manifest is not None, "one without a manifest is damaged"
    if manifest.snapshot:
        from stillroom.commands._snapshot_command import verify_snapshot

        return ProvenAgain(verify_snapshot(settings, manifest.snapshot))
    if level == RESTORED:
        return prove_by_restore(settings, terminal, backup)
    tools, problem = _read_in_full(settings, backup, manifest)
    return ProvenAgain(problem, tools.version)


def _read_in_full(settings: Settings, backup: Backup, manifest: Manifest) -> tuple[Tools, str]:
    """Let pg_restore read the dump to its end and count the rows; return the tools, and what is wrong."""
    from stillroom.edges.pg_programs import UnreadableDumpError, read_back

    tools = _find_reader(settings, manifest)
    environment = {**settings.child_environment, "LC_ALL": "C", "LANGUAGE": ""}
    try:
        rows = read_back(tools, backup.dump, environment)
    except UnreadableDumpError as error:
        return tools, f"damaged: its files are what was written, and yet {error.message}"
    difference = find_difference(rows, manifest.rows, others=manifest.contents.extension_tables)
    return tools, f"damaged: {difference}" if difference else ""


def _find_reader(settings: Settings, manifest: Manifest) -> Tools:
    from stillroom.edges.pg_tools import find_tools, has_zstd

    readers = choose_readers(find_tools(settings.pg_bin, settings.child_environment), manifest.tool_version)
    if not needs_zstd(each.path for each in manifest.files):
        return readers[0]
    for each in readers:
        if has_zstd(each, settings.child_environment):
            return each
    raise ToolError(
        "the dump is compressed with zstd, and no pg_restore here was built with it",
        hint="set STILLROOM_PG_BIN to the folder of one that was: of 16 or newer, as the packages of PostgreSQL are",
    )


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
