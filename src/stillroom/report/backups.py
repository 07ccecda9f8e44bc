"""`invoke backups` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import age, count, size

if TYPE_CHECKING:
    from stillroom.commands.backups import BackupsListed, ListedBackup

PROOFS = {"read": "read in full", "restore": "restored and compared"}
HEAD = ("name", "revision", "size", "verified", "age")


def text(result: BackupsListed) -> str:
    """Show a table, newest first; what cannot be used says why."""
    good = sum(not each.problem for each in result.backups)
    last = f"{count(good, 'backup')} in {result.folder}"
    others = len(result.backups) - good
    if others:
        last += f", and {others} that cannot be used"
    if not result.backups:
        return f"{last}; `invoke backup` makes one"
    rows = [HEAD, *(_row(each) for each in result.backups)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*table, last])


def _row(each: ListedBackup) -> tuple[str, str, str, str, str]:
    place = "+".join(each.revisions) or ("base" if each.database else "?")
    proof = PROOFS.get(each.verified, each.verified)
    amount = size(each.size_bytes) if each.database else "?"
    return (each.name, place, amount, each.problem or proof, age(each.age_s))
