"""What the database has attached to columns: indexes, CHECK and EXCLUDE constraints, foreign keys, with its own definitions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stillroom.edges.alembic.completing.findings import quoted

Column = tuple[str | None, str, str]

_INDEXES = """
select pg_catalog.jsonb_build_array(n.nspname::text, c.relname::text, n.nspname = pg_catalog.current_schema(), x.relname::text,
  pg_catalog.pg_get_indexdef(x.oid), i.indisunique,
  array(select a.attname::text from pg_catalog.pg_attribute a where a.attrelid = c.oid and exists (
    select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.objid = x.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass::oid and d.refobjid = c.oid and d.refobjsubid = a.attnum::integer)),
  coalesce(pg_catalog.pg_get_expr(i.indexprs, c.oid), '') || ' ' || coalesce(pg_catalog.pg_get_expr(i.indpred, c.oid), ''))::text
from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid join pg_catalog.pg_class c on c.oid = i.indrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where (i.indexprs is not null or i.indpred is not null) and c.relname::text = any(%s::text[])
  and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = x.oid)
  and not exists (select from pg_catalog.pg_constraint k where k.conindid = x.oid) order by x.relname
"""
_CONSTRAINTS = """
select pg_catalog.jsonb_build_array(n.nspname::text, c.relname::text, n.nspname = pg_catalog.current_schema(), k.conname::text,
  pg_catalog.pg_get_constraintdef(k.oid), k.contype::text,
  array(select a.attname::text from pg_catalog.unnest(k.conkey) with ordinality u (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = u.number order by u.place),
  coalesce(pg_catalog.pg_get_expr(k.conbin, k.conrelid), ''),
  array(select o.oprname::text from pg_catalog.unnest(k.conexclop) with ordinality u (number, place)
    join pg_catalog.pg_operator o on o.oid = u.number order by u.place), k.conkey,
  f.relname::text, (select fn.nspname::text from pg_catalog.pg_namespace fn where fn.oid = f.relnamespace),
  coalesce(f.relnamespace = pg_catalog.current_schema()::regnamespace::oid, false),
  array(select a.attname::text from pg_catalog.unnest(k.confkey) with ordinality u (number, place)
    join pg_catalog.pg_attribute a on a.attrelid = f.oid and a.attnum = u.number order by u.place),
  array(select a.attname::text from pg_catalog.pg_attribute a where k.contype = 'x' and a.attrelid = c.oid and exists (
    select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.objid = k.conindid
    and d.refclassid = 'pg_catalog.pg_class'::regclass::oid and d.refobjid = c.oid and d.refobjsubid = a.attnum::integer)))::text
from pg_catalog.pg_constraint k join pg_catalog.pg_class c on c.oid = k.conrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_class f on f.oid = k.confrelid
where k.contype in ('c', 'x', 'f') and k.coninhcount::integer = 0 and k.conparentid = 0::oid
  and (c.relname::text = any(%s::text[]) or f.relname::text = any(%s::text[])) order by k.conname
"""


@dataclass(frozen=True)
class Attached:
    """One thing, and what it is attached to.

    Args:
        schema: The table's; None for the first of the search path.
        table: The table.
        name: Its name.
        definition: As the server words it: a whole statement for an index, what stands behind its name for a constraint.
        kind: "index", "c" for CHECK, "x" for EXCLUDE, "f" for a foreign key.
        columns: The columns that it names.
        expression: Of an index, with its condition, or of a CHECK.
        is_unique: An index that lets no value come twice.
        operators: Of an EXCLUDE, by column; a column that is part of an expression has none.
        referred: Columns of the other table that a foreign key refers to.
    """

    schema: str | None
    table: str
    name: str
    definition: str
    kind: str
    columns: tuple[str, ...]
    expression: str = ""
    is_unique: bool = False
    operators: tuple[tuple[str, str], ...] = ()
    referred: tuple[Column, ...] = ()

    @property
    def places(self) -> set[Column]:
        """All columns that it is attached to."""
        return {(self.schema, self.table, each) for each in self.columns} | set(self.referred)

    @property
    def drop(self) -> str:
        """The statement that takes it away."""
        if self.kind == "index":
            return f"DROP INDEX {quoted(self.schema, self.name)}"
        return f"ALTER TABLE {quoted(self.schema, self.table)} DROP CONSTRAINT {quoted(self.name)}"

    @property
    def create(self) -> str:
        """The statement that made it."""
        if self.kind == "index":
            return self.definition
        return f"ALTER TABLE {quoted(self.schema, self.table)} ADD CONSTRAINT {quoted(self.name)} {self.definition}"

    def computes_with(self, column: str) -> bool:
        """Say whether its expression or condition names the column."""
        return re.search(rf"(?<![\w$]){re.escape(column)}(?![\w$])", self.expression) is not None


def read_attached(connection: Any, columns: Iterable[Column]) -> list[Attached]:
    """Read what is attached to columns; of indexes only those with an expression or a condition."""
    wanted = set(columns)
    tables = sorted({table for _, table, _ in wanted})
    raw = connection.connection.dbapi_connection
    with raw.cursor() as cursor:
        cursor.execute(_INDEXES, (tables,))
        found = [_index(*json.loads(row)) for (row,) in cursor.fetchall()]
        cursor.execute(_CONSTRAINTS, (tables, tables))
        found += [_constraint(*json.loads(row)) for (row,) in cursor.fetchall()]
    return [each for each in found if each.places & wanted]


def _index(*row: Any) -> Attached:
    schema, table, near, name, definition, is_unique, columns, expression = row
    return Attached(
        None if near else schema, table, name, definition, "index", tuple(columns), expression, is_unique=is_unique
    )


def _constraint(*row: Any) -> Attached:
    schema, table, near, name, definition, kind, columns, expression, operators, numbers, *referred = row
    other, other_schema, other_near, other_columns, computed = referred
    plain = [operator for operator, number in zip(operators, numbers or (), strict=False) if number]
    return Attached(
        None if near else schema,
        table,
        name,
        definition,
        kind,
        tuple(dict.fromkeys([*columns, *computed])),
        expression,
        operators=tuple(zip(columns, plain, strict=False)),
        referred=tuple((None if other_near else other_schema, other, each) for each in other_columns),
    )
