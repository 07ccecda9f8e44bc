"""`invoke rehearse` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report import _rehearsal

if TYPE_CHECKING:
    from stillroom.commands.rehearse import Rehearsed


def text(result: Rehearsed) -> str:
    """Tell what each revision costs; the last line is the answer."""
    if result.rehearsal is None:
        return f"{result.database}: nothing to rehearse, at {', '.join(result.plan.ends_at) or 'no revision'}"
    last = f"{result.database}: {_rehearsal.answer(result.rehearsal)}"
    return "\n".join([*_rehearsal.lines(result.rehearsal), last])
