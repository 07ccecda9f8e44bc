"""`invoke status` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.report._amounts import findings

if TYPE_CHECKING:
    from stillroom.commands.status import Status

SHOWN = 5


def text(result: Status) -> str:
    """Say where the database stands; the last line holds the answer and the next command."""
    protected = "protected" if result.is_protected else "not protected"
    lines = [
        f"database  {result.database}",
        f"mark      {result.mark or 'none'}; {protected}: {result.why}",
        f"current   {', '.join(result.current) or 'no revision'}",
        f"head      {', '.join(result.heads) or 'no revisions yet'}",
    ]
    lines += [f"pending   {revision}" for revision in result.pending]
    lines += result.fork.lines if result.fork else ()
    lines += [f"lock      held by {holder.shown}" for holder in result.holders]
    lines += [f"open      {result.cut_short} was cut short: `invoke migrate --resume`"] if result.cut_short else []
    if result.problems or result.warnings:
        lines.append(f"doctor    {findings(result.problems, result.warnings)} at a glance: `invoke doctor`")
    lines += [f"way out   {each.strip()}" for each in result.ways_out.split("\n") if each]
    return "\n".join([*lines, _answer(result)])


def _answer(result: Status) -> str:
    if result.place == "head":
        return "at head, nothing pending"
    if result.place == "ahead":
        by = f", applied by {result.applied_by}" if result.applied_by else ""
        if result.found_in:
            return f"ahead of this checkout: {_unknown(result)}{by}; {result.found_in}"
        return f"ahead of this checkout: {_unknown(result)}{by}; deploy the checkout that has it, or `invoke migrate --allow ahead`"
    if result.place == "foreign":
        where = result.stranger.where if result.stranger else ""
        return f"foreign: {_unknown(result)} has no file here: {where}"
    if result.place == "overlapping":
        return f"overlapping: of {_unknown(result)} in the version table one comes before another, so one is a stray; `invoke migrate` says which"
    if result.unrecorded:
        more = f" and {len(result.unrecorded) - SHOWN} more" if len(result.unrecorded) > SHOWN else ""
        return (
            f"no revision is recorded, although tables of the history are there ({', '.join(result.unrecorded[:SHOWN])}{more}): "
            "`invoke migrate` finds out which revision that is, and `invoke stamp <revision>` records it"
        )
    count = len(result.pending)
    what = f"{'behind' if result.current else 'empty'}, {count} revision{'s' if count != 1 else ''} pending"
    if result.fork:
        return f"{what}, and {result.fork.summary}: `invoke heads.merge` joins them"
    return f"{what}: `invoke migrate`"


def _unknown(result: Status) -> str:
    return ", ".join(result.current)
