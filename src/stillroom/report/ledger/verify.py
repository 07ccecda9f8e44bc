"""`invoke ledger.verify` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.commands.ledger.verify import LedgerVerified


def text(result: LedgerVerified) -> str:
    """List what does not agree; the last line is the answer."""
    if result.missing:
        return f"{result.database}: {result.missing}"
    lines = [f"note:  {each}" for each in result.notes] + [f"problem: {each}" for each in result.problems]
    counted = f"{result.rows} rows, {result.compared} applied revision{'s' if result.compared != 1 else ''} compared"
    if not result.problems:
        return "\n".join([*lines, f"{result.database}: ledger, version table and scripts agree ({counted})"])
    count = len(result.problems)
    hint = '`invoke ledger` shows who ran what; `invoke ledger.accept <revision> --reason "…"` takes a text as it is'
    return "\n".join([*lines, f"{result.database}: {count} problem{'s' if count != 1 else ''} ({counted}); {hint}"])
