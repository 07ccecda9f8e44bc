"""What a schema is made of, as frozen values: each object with what it is compared by and how it is made and dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

Key = tuple[str, str]


@dataclass(frozen=True)
class SchemaObject:
    """One object, its names quoted by the server.

    Args:
        kind: "table", "column", "constraint", "index", "materialized view" and so on.
        name: Its name with its schema, as the server quotes it; a part of a table says which one.
        schema: The schema it lies in, not quoted; empty for an extension.
        facets: What it is compared by.
        words: What its statements need besides.
        create: The statements that make it.
        drop: The statement that removes it.
        belongs_to: What it goes along with when that is dropped.
        uses: What must be there before it.
    """

    kind: str
    name: str
    schema: str
    facets: Mapping[str, Any]
    words: Mapping[str, Any]
    create: str
    drop: str
    belongs_to: Key | None = None
    uses: frozenset[Key] = frozenset()

    @property
    def key(self) -> Key:
        """What it is found by."""
        return self.kind, self.name

    @property
    def needs(self) -> frozenset[Key]:
        """What must be there before it, what it belongs to included."""
        return self.uses | {self.belongs_to} if self.belongs_to else self.uses


@dataclass(frozen=True)
class Schema:
    """All objects of a database that are compared, and the schemas that are there.

    Args:
        objects: By kind and name.
        spaces: The names of its schemas, not quoted; the system's and our own left out.
    """

    objects: Mapping[Key, SchemaObject] = field(repr=False)
    spaces: frozenset[str]

    def within(self, spaces: frozenset[str]) -> Schema:
        """Keep what lies in these schemas, and what lies in none."""
        kept = {key: each for key, each in self.objects.items() if not each.schema or each.schema in spaces}
        return Schema(kept, self.spaces & spaces)

    def ancestors(self, key: Key) -> Iterator[Key]:
        """Name what an object belongs to, the nearest first."""
        each = self.objects.get(key)
        while each is not None and each.belongs_to is not None:
            yield each.belongs_to
            each = self.objects.get(each.belongs_to)

    @cached_property
    def _users(self) -> dict[Key, list[Key]]:
        """Who needs what; of columns only the generated ones, which lose nothing when they are made anew."""
        users: dict[Key, list[Key]] = {}
        for key, each in sorted(self.objects.items()):
            if each.kind != "column" or each.facets["generated"]:
                for need in each.needs:
                    users.setdefault(need, []).append(key)
        return users

    def dependents(self, start: Key, kinds: Collection[str], also: Collection[Key] = ()) -> tuple[SchemaObject, ...]:
        """List everything that hangs on an object, the outermost first; of columns only the generated ones.

        Args:
            start: The object; not listed itself.
            kinds: Of what hangs on it directly; what hangs on that is listed whatever it is.
            also: More of what hangs on it directly, by name.
        """
        found: dict[Key, None] = {}

        def visit(key: Key) -> None:
            if key not in found:
                for user in self._users.get(key, ()):
                    visit(user)
                found[key] = None

        for user in self._users.get(start, ()):
            if user[0] in kinds or user in also:
                visit(user)
        return tuple(self.objects[key] for key in found)

    def with_facets(self, key: Key, facets: Mapping[str, Any]) -> Schema:
        """Put other facets in the place of an object's own."""
        changed = replace(self.objects[key], facets={**self.objects[key].facets, **facets})
        return replace(self, objects={**self.objects, key: changed})
