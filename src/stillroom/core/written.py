"""What was written to a database since a backup of it, and so would be lost by restoring that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """What became of one table since the backup.

    Args:
        table: With its schema.
        new: Rows that were inserted or updated since, and are there now; None where that took too long to count.
        gone: Rows of the backup that were updated or deleted since; None as well.
        was_there: The backup has the table.
        is_there: It is still there.
    """

    table: str
    new: int | None
    gone: int | None = 0
    was_there: bool = True
    is_there: bool = True

    @property
    def is_changed(self) -> bool:
        """Something was written, or nobody knows."""
        return self.new is None or bool(self.new or self.gone) or not self.was_there


@dataclass(frozen=True)
class Since:
    """All tables, or the reason why nobody knows.

    Args:
        tables: Those that changed, and those that could not be counted.
        unknown: Why nothing can be said; empty when it can.
    """

    tables: tuple[Written, ...] = ()
    unknown: str = ""

    @property
    def text(self) -> str:
        """Say it in one phrase."""
        if self.unknown:
            return f"what was written since cannot be known: {self.unknown}"
        if not self.tables:
            return "nothing was written to its tables since"
        return "written since: " + "; ".join(_say(each) for each in self.tables)


def _say(each: Written) -> str:
    if not each.is_there:
        return f"{each.table} is gone, with {_rows(each.gone or 0)}"
    if not each.was_there:
        return f"{each.table} is new" + (f", with {_rows(each.new)}" if each.new else "")
    if each.new is None or each.gone is None:
        return f"{each.table} has too many rows to count quickly"
    parts = []
    if each.new:
        parts.append(f"{_rows(each.new)} new or changed")
    if each.gone:
        parts.append(f"{_rows(each.gone)} of the backup changed or deleted")
    return f"{each.table} {', '.join(parts)}"


def _rows(number: int) -> str:
    return f"{number:,} row" + ("" if number == 1 else "s")
