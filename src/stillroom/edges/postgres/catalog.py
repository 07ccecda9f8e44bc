"""The schema of a database, read object by object from its catalog."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stillroom.core.schema_objects import Key, Schema, SchemaObject
from stillroom.edges.interrupt import cancelled_by_signals
from stillroom.edges.postgres.catalog_sql import COMMENTS, COMMON, FAMILIES, GRANTS, STAND_INS, USES
from stillroom.edges.postgres.current import reading
from stillroom.edges.postgres.errors import translated
from stillroom.edges.postgres.held import naming_holders

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

LOCK_TIMEOUT = "10s"  # the server locks what it describes against being dropped
Address = tuple[str, int, int]


@dataclass(frozen=True)
class Surface:
    """What a database's schema is built on.

    Args:
        schema: Its objects.
        major: The server's major version.
        search_path: What unqualified names resolve through, as text for `search_path`.
        path: The schemas on it that exist, not quoted.
    """

    schema: Schema
    major: int
    search_path: str
    path: tuple[str, ...]


def read_surface(connection: Connection, *, version_table: str, search_path: str | None) -> Surface:
    """Read a schema, and what it takes to build another one like it; the session's search path is pinned.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the search path"), reading(connection, search_path) as cursor:
        cursor.execute("select pg_catalog.current_setting('search_path'), pg_catalog.current_schemas(false)::text[]")
        row = cursor.fetchone()
    assert row is not None
    schema = read_schema(connection, version_table=version_table)
    return Surface(schema, connection.info.server_version // 10_000, row[0], tuple(row[1]))


def read_schema(connection: Connection, *, version_table: str) -> Schema:
    """Read every table, column, constraint, index, view, type, sequence, function, trigger, policy and comment.

    One read-only transaction. Left out are: the version table, our own schema, the system's schemas, partitions, temporary
    tables, and the members of extensions.

    Args:
        connection: In autocommit.
        version_table: Its name, without a schema.

    Raises:
        HeldError: A session held an object for 10 s.
        DatabaseError: The server refused.
    """
    with translated("reading the schema"), naming_holders(connection), connection.cursor() as cursor:
        cursor.execute("begin isolation level repeatable read read only")
        try:
            cursor.execute(
                "select pg_catalog.set_config('search_path', '', true), pg_catalog.set_config('lock_timeout', %s, true)",
                (LOCK_TIMEOUT,),
            )
            with cancelled_by_signals(connection):
                return _Reading(cursor).schema(version_table)
        finally:
            if not connection.closed:
                cursor.execute("rollback")


def read_schema_within(cursor: Cursor, version_table: str) -> Schema:
    """Read the same in a transaction that is open, with an empty search path."""
    return _Reading(cursor).schema(version_table)


@dataclass
class _Reading:
    """One reading under way: the objects, and where each of them is in the catalog."""

    cursor: Cursor

    def __post_init__(self) -> None:
        self.objects: dict[Key, SchemaObject] = {}
        self.places: dict[Address, Key] = {}
        self.stand_ins: dict[Address, Address] = {}

    def schema(self, version_table: str) -> Schema:
        """Put the rows of all families together."""
        rows = [row for family in FAMILIES for row in self._rows(COMMON + family)]
        self.places = {(row[6], row[7], row[8]): (row[0], row[1]) for row in rows}
        self.stand_ins = {row[:3]: row[3:] for row in self._rows(STAND_INS)}
        for kind, name, schema, *owner, _, _, _, facets, words, create, drop in rows:
            belongs_to = self.places.get((owner[0], owner[1], owner[2])) if owner[0] else None
            self.objects[kind, name] = SchemaObject(kind, name, schema, facets, words, create, drop, belongs_to)
        self._add_grants()
        self._add_comments()
        self._add_uses()
        left_out = {key for key, each in self.objects.items() if self._is_of(each, version_table)}
        kept = {key: each for key, each in self.objects.items() if key not in left_out}
        return Schema(kept, frozenset(each.schema for each in kept.values() if each.kind == "schema"))

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        self.cursor.execute(query)
        return self.cursor.fetchall()

    def _is_of(self, each: SchemaObject, version_table: str) -> bool:
        """Whether it is the version table, or a part of it."""
        above: SchemaObject | None = each
        while above is not None and above.kind != "table":
            above = self.objects.get(above.belongs_to) if above.belongs_to else None
        return above is not None and above.words["relname"] == version_table

    def _add_grants(self) -> None:
        for catalog, oid, grants in self._rows(COMMON + GRANTS):
            each = self.objects.get(self.places.get((catalog, oid, 0), ("", "")))
            if each is not None:
                self.objects[each.key] = replace(each, words={**each.words, "grants": grants})

    def _add_comments(self) -> None:
        for catalog, oid, number, text, literal in self._rows(COMMENTS):
            owner = self.objects.get(self.places.get((catalog, oid, number), ("", "")))
            if owner is not None:
                kind = "type" if owner.kind in {"enum", "composite type"} else owner.kind
                name = f"{kind} {owner.name}"
                on = f"COMMENT ON {kind.upper()} {owner.name} IS"
                self.objects["comment", name] = SchemaObject(
                    "comment", name, owner.schema, {"text": text}, {}, f"{on} {literal};", f"{on} NULL;", owner.key
                )

    def _add_uses(self) -> None:
        uses: defaultdict[Key, set[Key]] = defaultdict(set)
        for row in self._rows(USES):
            user, used = self._find(row[:3]), self._find(row[3:])
            if user and used and user != used and self.objects[user].belongs_to != used:
                uses[user].add(used)
        for key, each in self.objects.items():
            if each.kind == "sequence":
                # Its column's default uses it; that it belongs to the column is an object of its own.
                uses[key].clear()
            elif each.kind == "sequence owner":
                oid, number = each.words["column"].split()
                uses[key] |= {self.places["pg_class", int(oid), int(number)]}
            words = {
                name: word for name, word in each.words.items() if each.kind != "sequence owner" or name != "column"
            }
            self.objects[key] = replace(each, uses=frozenset(uses[key]), words=words)

    def _find(self, address: Address) -> Key | None:
        """Find the object that an entry of the catalog is, is a part of, or stands for."""
        for _ in range(3):
            whole = (*address[:2], 0)
            found = self.places.get(address) or self.places.get(whole)
            if found:
                return found
            address = self.stand_ins.get(whole, address)
        return None
