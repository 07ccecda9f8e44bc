"""What a live schema differs in from the one its history produces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.core.schema_objects import Key, Schema

MISSING, EXTRA, DIFFERS = "missing", "not from the history", "differs"
# Those of other tools: who installs an extension or keeps a schema beside ours does it on purpose.
NEVER_EXTRA = frozenset({"schema", "extension"})


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
        missing = theirs.keys() - ours.keys()
        extra = {key for key in ours.keys() - theirs.keys() if key[0] not in NEVER_EXTRA}
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

    def remake(self, key: Key) -> str:
        """Write the statements that make an object anew that the live schema had, with what others may do with it."""
        had = self.live.objects[key].words.get("grants")
        return self.history.objects[key].create + (f"\n{had}" if had else "")

    def _leads_elsewhere(self, key: Key, extra: set[Key]) -> bool:
        """Whether it is a foreign key from one extra table to another: two of them would hold each other."""
        each = self.live.objects[key]
        if each.kind != "constraint" or each.words["type"] != "f":
            return False
        tables = {each.belongs_to, *(above for used in each.uses for above in self.live.ancestors(used))}
        return len(tables & extra) > 1
