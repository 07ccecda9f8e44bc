"""`invoke check` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stillroom.report._amounts import count

if TYPE_CHECKING:
    from stillroom.commands._drift import DriftChecked
    from stillroom.commands.check import HeadsChecked, ModelsChecked


def text(result: ModelsChecked | HeadsChecked | DriftChecked) -> str:
    """Say whether they agree, and what would make them."""
    if hasattr(result, "built_in"):
        return _drift_text(cast("DriftChecked", result))
    if hasattr(result, "heads"):
        fork = cast("HeadsChecked", result).fork
        if fork is not None:
            return "\n".join([*fork.lines, f"{fork.summary}: `invoke heads.merge` joins them"])
        return f"one head: {result.heads[0]}" if result.heads else "no revisions yet"
    notes = [f"note:  {each}" for each in result.notes]
    if not result.differences:
        return "\n".join([*notes, f"{result.database}: models and database agree"])
    lines = [f"  {each.text}" for each in result.differences]
    last = f"{result.database}: {count(len(lines), 'difference')}; `invoke make-migration` writes them down"
    return "\n".join(["to match the models, the database needs:", *lines, *notes, last])


def _drift_text(result: DriftChecked) -> str:
    lines = []
    for each in result.differences:
        # Indented, the body of a function would be another one.
        lines += [each.text, each.statement if "\n" in each.statement else f"  {each.statement}"]
    if result.left_out:
        lines.append(f"not compared, the history does not touch them: {', '.join(result.left_out)}")
    if result.pending:
        lines.append(f"pending, which is no drift: {', '.join(result.pending)}")
    place = ", ".join(result.revisions) or "base"
    if result.differences:
        last = f"{count(len(result.differences), 'difference')} from {place}, built in {result.built_in}"
    else:
        last = f"as {place} builds it in {result.built_in}"
    return "\n".join([*lines, f"{result.database}: {last}"])
