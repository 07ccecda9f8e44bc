"""The statement that would mend each difference of a live schema."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stillroom.core.drift import DIFFERS, EXTRA, MISSING, Change, Drift
from stillroom.core.drift_order import order_changes
from stillroom.core.mending_columns import is_made_anew
from stillroom.core.mending_objects import IN_PLACE, change_object, is_replaceable

if TYPE_CHECKING:
    from stillroom.core.schema_objects import Key, SchemaObject

LOSES = " -- loses rows"
BLOCK_A_TYPE = ("view", "materialized view", "trigger", "policy", "column")
HANG_ON = (*BLOCK_A_TYPE, "constraint", "index", "function", "procedure", "comment", "sequence owner")


@dataclass(frozen=True)
class Difference:
    """One thing in which the live schema is not what the history produces.

    Args:
        object: Its name, as the server quotes it.
        kind: "table", "column", "index" and so on.
        difference: "missing", "not from the history" or "differs".
        detail: How it differs, in words; empty when it is missing or not from the history.
        statement: What would mend it, one statement a line or more; a comment where nothing can.
    """

    object: str
    kind: str
    difference: str
    detail: str
    statement: str = field(metadata={"has_lines": True})

    @property
    def text(self) -> str:
        """Say it in one line."""
        return f"{self.kind} {self.object}: {self.difference}" + (f": {self.detail}" if self.detail else "")


def plan_mending(drift: Drift) -> tuple[Difference, ...]:
    """Write the statements down in an order that works from top to bottom, each by itself, in autocommit."""
    order = order_changes(drift)
    hangers = _find_hangers(drift, order)
    last = {each.key: place for place, hung in enumerate(hangers) for each in hung}
    places = {change.key: place for place, change in enumerate(order)}
    gone: set[Key] = set()
    found: list[Difference] = []
    for place, change in enumerate(order):
        lines = [each.drop for each in hangers[place] if each.key not in gone and not _goes_along(each, hangers[place])]
        was_gone = change.key in gone
        gone |= {each.key for each in hangers[place]}
        again = [
            each
            for each in reversed(hangers[place])
            if last[each.key] == place and places.get(each.key, -1) < place and each.key in drift.history.objects
        ]
        for difference in _mend(drift, change, was_gone=was_gone):
            statement = "\n".join([*lines, difference.statement, *(drift.remake(each.key) for each in again)])
            found.append(replace(difference, statement=statement))
            lines, again = [], []
    return tuple(found)


def _find_hangers(drift: Drift, order: tuple[Change, ...]) -> list[tuple[SchemaObject, ...]]:
    """Find for each change what must be dropped before it and made again after it."""
    hangers: list[tuple[SchemaObject, ...]] = []
    gone: set[Key] = set()
    extra = {key for key, change in drift.changes.items() if change.difference == EXTRA}
    # An expression that is right for one type of a column only.
    worded = {key for key in drift.changes.keys() - extra if key[0] in {"constraint", "index"}}
    for change in order:
        kinds = _blocking(drift, change, was_gone=change.key in gone)
        found = drift.live.dependents(change.key, kinds, worded) if kinds else ()
        kept = tuple(
            each for each in found if each.key not in extra and extra.isdisjoint(drift.live.ancestors(each.key))
        )
        gone |= {each.key for each in kept}
        hangers.append(kept)
    return hangers


def _blocking(drift: Drift, change: Change, *, was_gone: bool) -> tuple[str, ...]:
    """Say which kinds of objects stand in the way when they hang on what is changed."""
    if change.difference != DIFFERS:
        return ()
    here, there = drift.live.objects[change.key], drift.history.objects[change.key]
    if there.kind == "column":
        if is_made_anew(here, there):
            return HANG_ON
        if (here.facets["type"], there.facets["type"]) in drift.uncastable:
            return ()
        return BLOCK_A_TYPE if {"type", "collation"} & set(change.facets) else ()
    if there.kind == "enum" or there.kind in IN_PLACE:
        return ()
    return HANG_ON if was_gone or not is_replaceable(here, there, change.facets) else ()


def _goes_along(each: SchemaObject, dropped: tuple[SchemaObject, ...]) -> bool:
    return each.kind in {"comment", "sequence owner"} or each.belongs_to in {one.key for one in dropped}


def _mend(drift: Drift, change: Change, *, was_gone: bool) -> Iterator[Difference]:
    kind, name = change.key
    if change.difference == EXTRA:
        drop = drift.live.objects[change.key].drop
        yield Difference(name, kind, EXTRA, "", drop + (LOSES if kind in {"table", "column"} else ""))
    elif change.difference == MISSING:
        yield Difference(name, kind, MISSING, "", _make(drift, drift.history.objects[change.key]))
    elif kind == "enum":
        yield from _mend_enum(drift.live.objects[change.key], drift.history.objects[change.key])
    else:
        here, there = drift.live.objects[change.key], drift.history.objects[change.key]
        yield Difference(
            name, kind, DIFFERS, _describe(here, there, change), change_object(drift, change, was_gone=was_gone)
        )


def _make(drift: Drift, there: SchemaObject) -> str:
    lines = [there.create]
    if there.kind == "sequence owner" and ("sequence", there.name) not in drift.live.objects:
        lines.append(there.words["setval"])
    facets = there.facets
    if there.kind == "column" and facets["not null"] and facets["default"] is None and not facets["identity"]:
        lines[0] += " -- fails where the table has rows: add it without NOT NULL, fill it, then SET NOT NULL"
    return "\n".join(lines)


def _describe(here: SchemaObject, there: SchemaObject, change: Change) -> str:
    """Say what differs, short: a definition of several lines is only named."""
    said = []
    for name in change.facets:
        before, after = here.facets[name], there.facets[name]
        if name.startswith("is "):
            said.append(f"{'' if before else 'not '}{name.removeprefix('is ')}")
        elif any("\n" in str(each) or len(str(each)) > 60 for each in (before, after)):
            said.append(f"{name} is another one")
        else:
            said.append(f"{name} is {_shown(before)}, the history makes {_shown(after)}")
    return "; ".join(said)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).strip() if value not in (None, "") else "none"


def _mend_enum(here: SchemaObject, there: SchemaObject) -> Iterator[Difference]:
    """Yield a difference for each label; they can be added, and neither taken away nor moved."""
    before, after = list(here.facets["labels"]), list(there.facets["labels"])
    for place, label in enumerate(after):
        if label not in before:
            where = f" AFTER {after[place - 1]}" if place else f" BEFORE {before[0]}" if before else ""
            statement = f"ALTER TYPE {there.name} ADD VALUE {label}{where};"
            yield Difference(f"{there.name} {label}", "enum value", MISSING, "", statement)
            before.insert(before.index(after[place - 1]) + 1 if place else 0, label)
    for label in (each for each in before if each not in after):
        statement = (
            f"-- no statement removes a value: make {there.name} anew, and its columns, once no row holds {label}"
        )
        yield Difference(f"{there.name} {label}", "enum value", EXTRA, "", statement)
    if [each for each in before if each in after] != after:
        detail = f"order is {', '.join(before)}, the history makes {', '.join(after)}"
        statement = f"-- no statement moves a value: make {there.name} anew, and its columns"
        yield Difference(there.name, "enum", DIFFERS, detail, statement)
