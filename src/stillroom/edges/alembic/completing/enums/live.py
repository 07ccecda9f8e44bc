"""The enum types of the database, and the columns that have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from psycopg2 import sql

from stillroom.core.enum_words import reword
from stillroom.edges.alembic.completing.enums.sql import EXISTING
from stillroom.edges.alembic.completing.findings import quoted


@dataclass(frozen=True)
class Use:
    """A column that has the type: where it is, its default, whether it is an array of the type, and whether it takes nulls."""

    schema: str | None
    table: str
    column: str
    default: str | None
    is_array: bool
    is_nullable: bool = True


@dataclass(frozen=True)
class Live:
    """An enum type of the database.

    Args:
        schema: Where it is; None where its name alone finds it.
        name: Its own.
        labels: Its members, in their order.
        uses: Its columns.
        indexes: Those that name a member: name and definition.
        checks: Those that name a member: table, name and definition.
        is_foreign: It belongs to an extension.
        spelled: Its name as the server writes it in a definition.
        references: Foreign keys from or to its columns: table, name and definition.
        blockers: What stands in the way of making it anew, in the server's words.
    """

    schema: str | None
    name: str
    labels: tuple[str, ...]
    uses: tuple[Use, ...]
    indexes: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str, str], ...]
    is_foreign: bool
    spelled: str = ""
    references: tuple[tuple[str, str, str], ...] = ()
    blockers: tuple[str, ...] = ()

    def worded(self, changes: Mapping[str, str]) -> Live:
        """Word it in other members: old to new."""
        return replace(
            self.beside(self.spelled, changes),
            labels=tuple(changes.get(each, each) for each in self.labels),
            uses=tuple(
                replace(each, default=each.default and reword(each.default, self.spelled, changes))
                for each in self.uses
            ),
        )

    def beside(self, spelled: str, changes: Mapping[str, str]) -> Live:
        """Word its indexes and checks as they are once another type, which they name as well, has other members."""
        return replace(
            self,
            indexes=tuple((name, reword(text, spelled, changes)) for name, text in self.indexes),
            checks=tuple((table, name, reword(text, spelled, changes)) for table, name, text in self.checks),
        )

    def names(self, label: str) -> str:
        """Name an index or a check whose definition names a member; empty without one."""
        found = [(name, text) for name, text in self.indexes] + [(name, text) for _, name, text in self.checks]
        other = {label: label + "?"}
        return next((name for name, text in found if reword(text, self.spelled, other) != text), "")

    @property
    def quoted(self) -> str:
        """Its name as SQL."""
        return quoted(self.schema, self.name)


def read_enums(connection: Any) -> dict[tuple[str | None, str], Live]:
    """Read all enum types, by schema and name; a visible one by its name alone as well."""
    found: dict[tuple[str | None, str], Live] = {}
    rows = connection.exec_driver_sql(EXISTING).all()
    for schema, name, is_visible, labels, uses, indexes, checks, is_foreign, spelled, references, blockers in rows:
        parsed = []
        for place, table, column, default, is_array, near, is_strict in (json.loads(each) for each in uses):
            parsed.append(Use(None if near else place, table, column, default, is_array, not is_strict))
        one = Live(
            None if is_visible else schema,
            name,
            tuple(labels),
            tuple(parsed),
            indexes=_parsed(indexes),
            checks=_parsed(checks),
            is_foreign=is_foreign,
            spelled=spelled,
            references=_parsed(references),
            blockers=tuple(blockers),
        )
        found[schema, name] = one
        if is_visible:
            found[None, name] = one
    return found


def _parsed(rows: list[str]) -> tuple[Any, ...]:
    return tuple(tuple(json.loads(each)) for each in rows)


def count_rows(connection: Any, live: Live, use: Use, label: str) -> int:
    """Count the rows that hold a member."""
    form = "{label}::text = any({column}::text[])" if use.is_array else "{column}::text = {label}::text"
    holds = sql.SQL(form).format(column=sql.Identifier(use.column), label=sql.Literal(label))
    table = sql.Identifier(*([use.schema] if use.schema else []), use.table)
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(sql.SQL("select pg_catalog.count(*) from {} where {}").format(table, holds))
        return int(cursor.fetchone()[0])


def holds_nested(connection: Any, use: Use) -> bool:
    """Say whether an array with more than one dimension is among the values."""
    table = sql.Identifier(*([use.schema] if use.schema else []), use.table)
    form = "select exists (select from {} where pg_catalog.array_ndims({}) > 1)"
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(sql.SQL(form).format(table, sql.Identifier(use.column)))
        return bool(cursor.fetchone()[0])
