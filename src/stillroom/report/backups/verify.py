"""`invoke backups.verify` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import count, size

if TYPE_CHECKING:
    from stillroom.commands.backups.verify import BackupsVerified, VerifiedBackup


def text(result: BackupsVerified) -> str:
    """Say of each what was compared; of several, the last line counts."""
    lines = [_line(each) for each in result.backups]
    if len(lines) == 1:
        return lines[0]
    damaged = sum(bool(each.problem) for each in result.backups)
    unverified = sum(bool(each.unverified) for each in result.backups)
    last = f"{count(len(lines) - damaged - unverified, 'backup')} whole"
    last += "".join(f", {n} {word}" for n, word in ((damaged, "damaged"), (unverified, "not verified")) if n)
    return "\n".join([*lines, last])


def _line(each: VerifiedBackup) -> str:
    if each.problem:
        return f"{each.name}: {each.problem}"
    if each.unverified:
        return f"{each.name}: not verified: {each.unverified}"
    if each.snapshot:
        return f"{each.name}: snapshot {each.snapshot} is there, says its command, in {each.seconds:.1f} s"
    compared = f"{count(each.files, 'file')}, {size(each.size_bytes)}, compared by SHA-256"
    if each.where:
        held = f"{count(each.rows, 'row')} of {count(each.tables, 'table')}"
        notes = "".join(f"\nnote:  {note}" for note in each.notes)
        return f"{each.name}: whole: {compared}, restored into {each.where}, {held} compared, in {each.seconds:.1f} s{notes}"
    held = f"{count(each.rows, 'row')} of {count(each.tables, 'table')} counted as then"
    return f"{each.name}: whole: {compared}, read in full by pg_restore {each.tool_version}, {held}, in {each.seconds:.1f} s"
