"""`invoke backups.prune` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import count, size

if TYPE_CHECKING:
    from stillroom.commands.backups.prune import Pruned


def text(result: Pruned) -> str:
    """List what stays and why, then what goes; the last line counts."""
    lines = [f"stays  {each.name}  {each.why}" for each in result.kept]
    word = "would go" if result.is_plan else "deleted"
    lines += [f"{word}  {each.name}  {size(each.size_bytes)}" for each in result.gone]
    lines += [
        f"{each} is out of the list, and could not be deleted: the next prune tries again" for each in result.undeleted
    ]
    return "\n".join([*lines, _last(result)])


def _last(result: Pruned) -> str:
    staying = f"{count(len(result.kept), 'backup')} stay{'s' if len(result.kept) == 1 else ''}"
    if not result.gone:
        return f"nothing to prune in {result.folder}, {staying}"
    amount = f"{count(len(result.gone), 'backup')}, {size(sum(each.size_bytes for each in result.gone))},"
    proven = f"{staying}, {result.compared} of them compared by SHA-256"
    if result.is_plan:
        return f"{amount} would go; {proven}; `invoke backups.prune` deletes them"
    return f"{amount} deleted; {proven}"
