"""`invoke backups` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import age, count, size

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    amount = "-" if each.snapshot else size(each.size_bytes) if each.database else "?"
    return (each.name, place, amount, "; ".join(_said(each)), age(each.age_s))


def _said(each: ListedBackup) -> Iterator[str]:
    """Say how it was proven, or what is wrong with it, and what was noted later."""
    if each.problem:
        yield each.problem
    elif each.snapshot:
        yield f"snapshot {each.snapshot}, verified by its command"
    else:
        yield proof(each.verified)
    if each.lacks and not each.problem:
        yield each.lacks
    if each.is_pinned:
        yield f"pinned: {each.pin_reason}" if each.pin_reason else "pinned"
    if each.copy_exit_code is not None:
        yield "copied" if each.copy_exit_code == 0 else f"not copied (exit {each.copy_exit_code})"
    elif each.copy_began:
        yield "not copied (no end of it is known)"


def proof(verified: str) -> str:
    """Say how a backup was proven."""
    return PROOFS.get(verified, verified)
