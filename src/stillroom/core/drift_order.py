"""The order in which a drifted schema would be mended."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stillroom.core.drift import DIFFERS, EXTRA, MISSING

if TYPE_CHECKING:
    from stillroom.core.drift import Change, Drift
    from stillroom.core.schema_objects import Key, Schema, SchemaObject

DROPPED_FIRST = (
    "comment", "policy", "trigger", "materialized view", "view", "index", "constraint", "sequence owner", "column", "table",
    "function", "procedure", "sequence", "domain", "composite type", "enum",
)  # fmt: skip
MADE_FIRST = (
    "schema", "extension", "enum", "domain", "composite type", "sequence", "function", "procedure", "table", "column", "sequence owner",
    "late function", "constraint", "foreign key", "index", "view", "materialized view", "trigger", "policy", "comment",
)  # fmt: skip


def order_changes(drift: Drift) -> tuple[Change, ...]:
    """Put the changes in an order that works from top to bottom: what others need first, what others hang on last."""
    after = _find_needs(drift)
    open_needs = {key: len(after[key]) for key in drift.changes}
    before: defaultdict[Key, list[Key]] = defaultdict(list)
    for key, needs in after.items():
        for need in needs:
            before[need].append(key)
    waiting = [(_rank(drift, key), key) for key, count in open_needs.items() if count == 0]
    heapq.heapify(waiting)
    placed: dict[Key, Change] = {}
    while len(placed) < len(drift.changes):
        if not waiting:  # a ring: begin it where the kind says
            waiting = [min((_rank(drift, key), key) for key in drift.changes if key not in placed)]
        _, key = heapq.heappop(waiting)
        if key in placed:
            continue
        placed[key] = drift.changes[key]
        for each in before[key]:
            open_needs[each] -= 1
            if open_needs[each] == 0:
                heapq.heappush(waiting, (_rank(drift, each), each))
    return tuple(placed.values())


def _find_needs(drift: Drift) -> dict[Key, set[Key]]:
    """Say for each change which others come before it."""
    after: dict[Key, set[Key]] = {key: set() for key in drift.changes}
    for user, used in _pairs(drift, drift.history):
        if drift.changes[user].difference != EXTRA and drift.changes[used].difference != EXTRA:
            after[user].add(used)
    for user, used in _pairs(drift, drift.live):
        kinds = drift.changes[user].difference, drift.changes[used].difference
        if kinds == (DIFFERS, DIFFERS) and user not in after[used]:
            after[user].add(used)
        elif EXTRA in kinds and MISSING not in kinds:
            after[used].add(user)
    return after


def _pairs(drift: Drift, schema: Schema) -> Iterator[tuple[Key, Key]]:
    """Name who uses whom among the changes; what is no change of its own counts as what it belongs to."""
    for key, each in schema.objects.items():
        user = _standing_for(drift, schema, key)
        if user is not None:
            for need in each.needs:
                used = _standing_for(drift, schema, need)
                if used is not None and used != user:
                    yield user, used


def _standing_for(drift: Drift, schema: Schema, key: Key) -> Key | None:
    if key in drift.changes:
        return key
    return next((each for each in schema.ancestors(key) if _goes_with(drift, each)), None)


def _goes_with(drift: Drift, key: Key) -> bool:
    return key in drift.changes and drift.changes[key].difference != DIFFERS


def _rank(drift: Drift, key: Key) -> int:
    if drift.changes[key].difference == EXTRA:
        return DROPPED_FIRST.index(key[0])
    return len(DROPPED_FIRST) + MADE_FIRST.index(_made_as(drift.history.objects[key]))


def _made_as(each: SchemaObject) -> str:
    """Name the kind for the order of making: a function in SQL is read when it is made, a foreign key needs the other table."""
    if each.kind in {"function", "procedure"} and each.words["language"] == "sql":
        return "late function"
    if each.kind == "constraint" and each.words["type"] == "f":
        return "foreign key"
    return each.kind
