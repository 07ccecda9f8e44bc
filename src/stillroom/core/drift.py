"""What a live schema differs in from the one its history produces, and in which order it would be mended."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.core.schema_objects import Key, Schema, SchemaObject

MISSING, EXTRA, DIFFERS = "missing", "not from the history", "differs"
# Those of other tools: who installs an extension or keeps a schema beside ours does it on purpose.
NEVER_EXTRA = frozenset({"schema", "extension"})
DROPPED_FIRST = (
    "comment", "policy", "trigger", "materialized view", "view", "index", "constraint", "sequence owner", "column", "table",
    "function", "procedure", "sequence", "domain", "composite type", "enum",
)  # fmt: skip
MADE_FIRST = (
    "schema", "extension", "enum", "domain", "composite type", "sequence", "function", "procedure", "table", "column", "sequence owner",
    "late function", "constraint", "foreign key", "index", "view", "materialized view", "trigger", "policy", "comment",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One object that is not as the history makes it.

    Args:
        key: The object.
        difference: "missing", "not from the history" or "differs".
        facets: What differs, when it differs.
    """

    key: Key
    difference: str
    facets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drift:
    """The two schemas and what differs.

    Args:
        live: The database's.
        history: What the revisions build.
        uncastable: Pairs of types, as the server writes them, where no cast leads from the first to the second.
    """

    live: Schema
    history: Schema
    uncastable: frozenset[tuple[str, str]] = frozenset()

    @property
    def retypings(self) -> frozenset[tuple[str, str]]:
        """The types that columns have and should have, where these differ."""
        found = set()
        for key, each in self.changes.items():
            if key[0] == "column" and "type" in each.facets:
                here, there = self.live.objects[key], self.history.objects[key]
                # One enum becomes another through text.
                if not (here.words["is_enum"] and there.words["is_enum"]):
                    found.add((here.facets["type"], there.facets["type"]))
        return frozenset(found)

    @cached_property
    def changes(self) -> dict[Key, Change]:
        """Everything that differs, a change each; the columns of a missing table and the parts of an extra one go with it."""
        ours, theirs = self.live.objects, self.history.objects
        missing, extra = (
            theirs.keys() - ours.keys(),
            {key for key in ours.keys() - theirs.keys() if key[0] not in NEVER_EXTRA},
        )
        found = [Change(key, MISSING) for key in missing if key[0] != "column" or theirs[key].belongs_to not in missing]
        found += [
            Change(key, EXTRA)
            for key in extra
            if extra.isdisjoint(self.live.ancestors(key)) or self._leads_elsewhere(key, extra)
        ]
        for key in ours.keys() & theirs.keys():
            here, there = ours[key].facets, theirs[key].facets
            names = tuple(name for name in there if here[name] != there[name])
            if names:
                found.append(Change(key, DIFFERS, names))
        return {each.key: each for each in found}

    def _leads_elsewhere(self, key: Key, extra: set[Key]) -> bool:
        """Whether it is a foreign key from one extra table to another: two of them would hold each other."""
        each = self.live.objects[key]
        if each.kind != "constraint" or each.words["type"] != "f":
            return False
        tables = {each.belongs_to, *(above for used in each.uses for above in self.live.ancestors(used))}
        return len(tables & extra) > 1

    @cached_property
    def order(self) -> tuple[Change, ...]:
        """The changes in an order that works from top to bottom."""
        after = self._after()
        open_needs = {key: len(after[key]) for key in self.changes}
        before: defaultdict[Key, list[Key]] = defaultdict(list)
        for key, needs in after.items():
            for need in needs:
                before[need].append(key)
        waiting = [(self._rank(key), key) for key, count in open_needs.items() if count == 0]
        heapq.heapify(waiting)
        placed: dict[Key, Change] = {}
        while len(placed) < len(self.changes):
            if not waiting:  # a ring: begin it where the kind says
                waiting = [min((self._rank(key), key) for key in self.changes if key not in placed)]
            _, key = heapq.heappop(waiting)
            if key in placed:
                continue
            placed[key] = self.changes[key]
            for each in before[key]:
                open_needs[each] -= 1
                if open_needs[each] == 0:
                    heapq.heappush(waiting, (self._rank(each), each))
        return tuple(placed.values())

    def _after(self) -> dict[Key, set[Key]]:
        """Say for each change which others come before it."""
        after: dict[Key, set[Key]] = {key: set() for key in self.changes}
        for user, used in self._pairs(self.history):
            if self.changes[user].difference != EXTRA and self.changes[used].difference != EXTRA:
                after[user].add(used)
        for user, used in self._pairs(self.live):
            kinds = self.changes[user].difference, self.changes[used].difference
            if kinds == (DIFFERS, DIFFERS) and user not in after[used]:
                after[user].add(used)
            elif EXTRA in kinds and MISSING not in kinds:
                after[used].add(user)
        return after

    def _pairs(self, schema: Schema) -> Iterator[tuple[Key, Key]]:
        """Name who uses whom among the changes; what is no change of its own counts as what it belongs to."""
        for key, each in schema.objects.items():
            user = self._standing_for(schema, key)
            if user is not None:
                for need in (*each.uses, *([each.belongs_to] if each.belongs_to else [])):
                    used = self._standing_for(schema, need)
                    if used is not None and used != user:
                        yield user, used

    def _standing_for(self, schema: Schema, key: Key) -> Key | None:
        if key in self.changes:
            return key
        return next((each for each in schema.ancestors(key) if self._goes_with(each)), None)

    def _goes_with(self, key: Key) -> bool:
        return key in self.changes and self.changes[key].difference != DIFFERS

    def _rank(self, key: Key) -> int:
        if self.changes[key].difference == EXTRA:
            return DROPPED_FIRST.index(key[0])
        return len(DROPPED_FIRST) + MADE_FIRST.index(late_kind(self.history.objects[key]))


def late_kind(each: SchemaObject) -> str:
    """Name the kind for the order of making: a function in SQL is read when it is made, a foreign key needs the other table."""
    if each.kind in {"function", "procedure"} and each.words["language"] == "sql":
        return "late function"
    if each.kind == "constraint" and each.words["type"] == "f":
        return "foreign key"
    return each.kind


def find_dependents(
    schema: Schema, start: Key, kinds: Iterable[str], also: Collection[Key] = ()
) -> tuple[SchemaObject, ...]:
    """List everything that hangs on an object, the outermost first; of columns only the generated ones, which lose nothing.

    Args:
        schema: Where to look.
        start: The object; not listed itself.
        kinds: Of what hangs on it directly; what hangs on that is listed whatever it is.
        also: More of what hangs on it directly, by name.
    """
    users: defaultdict[Key, set[Key]] = defaultdict(set)
    for key, each in schema.objects.items():
        if each.kind != "column" or each.facets["generated"]:
            for need in (*each.uses, *([each.belongs_to] if each.belongs_to else [])):
                users[need].add(key)
    wanted = frozenset(kinds)
    found: dict[Key, None] = {}

    def visit(key: Key) -> None:
        if key not in found:
            for user in sorted(users[key]):
                visit(user)
            found[key] = None

    for user in sorted(users[start]):
        if user[0] in wanted or user in also:
            visit(user)
    return tuple(schema.objects[key] for key in found)
