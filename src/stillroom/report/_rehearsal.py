"""A rehearsal in lines: what each revision costs, the way back, and the answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from stillroom.core.rehearsal import DIFFERS, FAILED, SAME, keeps_out
from stillroom.report._amounts import count, size

if TYPE_CHECKING:
    from stillroom.core.applied import Applied
    from stillroom.core.rehearsal import HeldLock, Rehearsal, RehearsedStep, WayBack

WORTH_TELLING_BYTES, WORTH_TELLING_S = 16_000_000, 0.1
SHOWN_STATEMENTS, SHOWN_DIFFERENCES = 3, 10


def lines(rehearsal: Rehearsal) -> list[str]:
    """Tell everything but the answer."""
    found = [line for step in rehearsal.steps for line in _step(step, is_shared=rehearsal.is_shared)]
    sent = (each for step in rehearsal.steps for each in step.statements if each.seconds >= WORTH_TELLING_S)
    statements = sorted(sent, key=lambda each: -each.seconds)
    if statements:
        found += ["", "slowest statements"]
        found += [f"  {each.seconds:.2f} s  {each.text}" for each in statements[:SHOWN_STATEMENTS]]
    return [*found, "", *_way_back(rehearsal.back), *_left(rehearsal)]


def warnings(rehearsal: Rehearsal) -> list[str]:
    """Tell only what is not as it should be, and what dies."""
    is_good = rehearsal.back.outcome == SAME
    return [*_deleted(rehearsal), *([] if is_good else _way_back(rehearsal.back)), *_left(rehearsal)]


def _deleted(rehearsal: Rehearsal) -> Iterable[str]:
    for step in rehearsal.steps:
        for rows in step.rows:
            if rows.deleted:
                yield f"{step.revision} deletes {count(rows.deleted, 'row')} of {rows.table}"


def predicted(rehearsal: Rehearsal, applied: Iterable[Applied]) -> list[str]:
    """Put beside what each revision took what it took on the copy."""
    found = []
    for each in applied:
        seconds = rehearsal.predicted_s(each.revision)
        if seconds is not None:
            found.append(f"{each.revision}: predicted {seconds:.2f} s, took {each.seconds:.2f} s")
    return found


def answer(rehearsal: Rehearsal) -> str:
    """Say in one line that it would work, and what it would cost most."""
    about = "about " if rehearsal.is_estimated else ""
    steps = count(len(rehearsal.steps), "revision")
    first = f"rehearsed {steps} on a copy with {about}{count(rehearsal.rows, 'row')} in {rehearsal.seconds:.1f} s: would work"
    lock = rehearsal.longest_lock
    return f"{first}; {lock.table} is locked {_for(lock)}" if lock is not None and keeps_out(lock) else first


def _left(rehearsal: Rehearsal) -> Iterable[str]:
    yield from (f"left NOT VALID: {each}" for each in rehearsal.not_validated)
    yield from (f"left invalid: index {each}" for each in rehearsal.invalid_indexes)
    if rehearsal.new_roles:
        yield f"new on the server since, made by others or outside of a transaction: the role {', '.join(rehearsal.new_roles)}"
    if rehearsal.cluster_wide:
        yield f"reaches past the database: {', '.join(rehearsal.cluster_wide)}"


def _step(step: RehearsedStep, *, is_shared: bool) -> Iterable[str]:
    written = []
    if step.temp_bytes:
        written.append(f"{size(step.temp_bytes)} of temporary files")
    if step.wal_bytes >= WORTH_TELLING_BYTES:
        written.append(f"{'at most ' if is_shared else ''}{size(step.wal_bytes)} of WAL")
    yield "  ".join([step.revision, step.message, f"{step.seconds:.2f} s", ", ".join(written)]).rstrip()
    for lock in step.locks:
        yield f"  {lock.table}  {_for(lock)} (blocks {lock.blocks}{', sampled' if lock.is_sampled else ''})"
    for rewrite in step.rewrites:
        yield f"  {rewrite.table}  written anew, {size(rewrite.size_bytes)}"
    for rows in step.rows:
        numbers = ((rows.inserted, "inserted"), (rows.updated, "updated"), (rows.deleted, "deleted"))
        yield f"  {rows.table}  {count(rows.count, 'row')}: " + ", ".join(f"{n:,} {word}" for n, word in numbers if n)


def _for(lock: HeldLock) -> str:
    return f"{lock.mode} for {lock.seconds:.2f} s"


def _way_back(back: WayBack) -> Iterable[str]:
    if back.outcome == FAILED:
        yield f"downgrade: failed, {back.detail}"
        return
    word = "the schema is not as it was" if back.outcome == DIFFERS else "the schema is as it was"
    yield f"downgrade: {word}, {back.seconds:.2f} s"
    yield from (f"  {each}" for each in back.differences[:SHOWN_DIFFERENCES])
    more = len(back.differences) - SHOWN_DIFFERENCES
    if more > 0:
        yield f"  and {more} more"
    yield f"upgrade again: {back.again_s:.2f} s" if back.again_s is not None else f"upgrade again: {back.detail}"
