"""Prove a dump before it is called a backup: read it back in full, or restore it and compare everything."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stillroom.commands._comparing_copy import compare_restored
from stillroom.commands._copying import Archive, Copy, NoCopyError, restored_copy
from stillroom.commands._watching import Amount, watching
from stillroom.core.copy_rows import find_difference
from stillroom.core.manifest import READ, RESTORED
from stillroom.edges.pg_programs import LackError, read_back
from stillroom.errors import SettingsError, ToolError

if TYPE_CHECKING:
    from stillroom.commands._steps import Work
    from stillroom.core.contents import Contents, TableRows
    from stillroom.core.pg_tools import Tools
    from stillroom.edges.child_body import Voice
    from stillroom.settings import Settings

AGAIN = "run it again; older backups are untouched"


@dataclass(frozen=True)
class Proof:
    """What is proven.

    Args:
        work: About the database that the dump is of.
        dump: The folder.
        tools: That wrote it.
        rows: What was counted, and maybe hashed, in the snapshot.
        contents: What else was there.
        say: Told what is done.
        server_major: Of the server it is from.
        schemas: The only ones in it.
    """

    work: Work
    dump: Path
    tools: Tools
    rows: tuple[TableRows, ...]
    contents: Contents
    say: Voice
    server_major: int
    schemas: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proven:
    """How it was proven.

    Args:
        level: "read" or "restore".
        where: Where it was restored, in words; empty for "read".
        copy: The database that it was restored into.
        notes: What to know about it.
    """

    level: str
    where: str = ""
    copy: Copy | None = None
    notes: tuple[str, ...] = ()


def read_level(text: str) -> str:
    """Read `--verify`.

    Raises:
        SettingsError: Another word than read or restore.
    """
    if text not in {"", READ, RESTORED}:
        raise SettingsError(f"--verify is {text!r}, neither read nor restore", hint="for instance `--verify restore`")
    return text


def choose_level(settings: Settings, size_bytes: int) -> str:
    """Choose how a backup is proven where nobody said it: by restoring it, up to the size that the settings name."""
    return RESTORED if size_bytes <= settings.verify_restore_mb * 1_000_000 else READ


def prove(proof: Proof, level: str, environment: dict[str, str], kept: ExitStack, *, is_asked: bool) -> Proven:
    """Prove a dump.

    Args:
        proof: What.
        level: "read" or "restore".
        environment: For pg_restore.
        kept: Ends the life of the copy.
        is_asked: Somebody asked for this level, so that another one is not what they want.

    Raises:
        NoCopyError: "restore" was asked for, and there is no place for a copy.
        ToolError: The dump is not whole.
        DatabaseError: A server refused.
    """
    if level == RESTORED:
        try:
            return _restore(proof, kept)
        except NoCopyError as error:
            if is_asked:
                raise
            note = f"it was read back and not restored: {error.message}"
            return replace(_read(proof, environment), notes=(note,))
    return _read(proof, environment)


def _read(proof: Proof, environment: dict[str, str]) -> Proven:
    """Compare what was read back with what was counted in the snapshot."""
    amount = Amount("reading the dump back")
    with watching(proof.say, amount.lines):
        found = read_back(proof.tools, proof.dump, environment, tell=amount)
    difference = find_difference(found, proof.rows, others=proof.contents.extension_tables)
    if difference:
        raise ToolError(f"the dump is not whole: {difference}", hint=AGAIN)
    return Proven(READ)


def _restore(proof: Proof, kept: ExitStack) -> Proven:
    size = sum(each.stat().st_size for each in proof.dump.rglob("*") if each.is_file())
    archive = Archive(
        proof.dump, proof.tools.version, size, proof.contents, proof.server_major, "the dump", proof.schemas
    )
    try:
        copy = kept.enter_context(restored_copy(proof.work, archive, proof.say))
    except ToolError as error:
        in_need = "correct that in the database: a restore would fail in need, too; `--verify read` proves less"
        hint = error.hint if isinstance(error, LackError) else in_need
        raise ToolError(f"the dump could not be restored: {error.message}", hint=hint) from None
    compared = compare_restored(proof.work, copy, proof.rows, archive, proof.say)
    if compared.differences:
        raise ToolError(f"the dump is not what was backed up: {compared.told}", hint=AGAIN)
    notes = (
        compared.notes
        if copy.has_owners
        else ("owners and grants were not compared: the copy has none", *compared.notes)
    )
    return Proven(RESTORED, copy.where, copy, notes)
