"""The enum types of the database, and the columns that have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from psycopg2 import sql

from stillroom.edges.alembic.completing.findings import literal, quoted

_EXISTING = """
select n.nspname, t.typname, pg_catalog.pg_type_is_visible(t.oid),
  array(select e.enumlabel::text from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
  array(select pg_catalog.jsonb_build_array(cn.nspname, c.relname, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      a.atttypid <> t.oid, pg_catalog.pg_table_is_visible(c.oid))::text
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.atttypid in (t.oid, t.typarray) and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition
    order by 1),
  array(select pg_catalog.jsonb_build_array(i.indexrelid::regclass::text, pg_catalog.pg_get_indexdef(i.indexrelid))::text
    from pg_catalog.pg_index i where exists (select from pg_catalog.pg_depend p where p.classid = 'pg_catalog.pg_class'::regclass::oid
      and p.objid = i.indexrelid and p.refclassid = 'pg_catalog.pg_type'::regclass::oid and p.refobjid in (t.oid, t.typarray))
    and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = i.indexrelid) order by 1),
  array(select pg_catalog.jsonb_build_array(k.conrelid::regclass::text, pg_catalog.quote_ident(k.conname::text), pg_catalog.pg_get_constraintdef(k.oid))::text
    from pg_catalog.pg_constraint k where k.contype = 'c' and k.conrelid <> 0::oid and k.coninhcount::integer = 0 and exists (select from pg_catalog.pg_depend p
      where p.classid = 'pg_catalog.pg_constraint'::regclass::oid and p.objid = k.oid
      and p.refclassid = 'pg_catalog.pg_type'::regclass::oid and p.refobjid in (t.oid, t.typarray)) order by 1),
  exists (select from pg_catalog.pg_depend p where p.objid = t.oid and p.classid = 'pg_catalog.pg_type'::regclass::oid and p.deptype = 'e')
from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype = 'e' order by 1, 2
"""


@dataclass(frozen=True)
class Use:
    """A column that has the type: where it is, what its default is, and whether it is an array of it."""

    schema: str | None
    table: str
    column: str
    default: str | None
    is_array: bool


@dataclass(frozen=True)
class Live:
    """An enum type of the database: its columns, and the indexes (name, definition) and checks (table, name, definition) that name it."""

    schema: str | None
    name: str
    labels: tuple[str, ...]
    uses: tuple[Use, ...]
    indexes: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str, str], ...]
    is_foreign: bool

    def worded(self, changes: Mapping[str, str]) -> Live:
        """Word defaults, indexes and checks in other members: old to new."""

        def word(text: str) -> str:
            for old, new in changes.items():
                text = text.replace(f"{literal(old)}::", f"{literal(new)}::")
            return text

        return replace(
            self,
            labels=tuple(changes.get(each, each) for each in self.labels),
            uses=tuple(replace(each, default=each.default and word(each.default)) for each in self.uses),
            indexes=tuple((name, word(text)) for name, text in self.indexes),
            checks=tuple((table, name, word(text)) for table, name, text in self.checks),
        )

    @property
    def quoted(self) -> str:
        """Its name as SQL."""
        return quoted(self.schema, self.name)


def read_enums(connection: Any) -> dict[tuple[str | None, str], Live]:
    """Read all enum types, by schema and name; a visible one by its name alone as well."""
    found: dict[tuple[str | None, str], Live] = {}
    for schema, name, is_visible, labels, uses, indexes, checks, is_foreign in connection.exec_driver_sql(
        _EXISTING
    ).all():
        parsed = []
        for place, table, column, default, is_array, near in (json.loads(each) for each in uses):
            parsed.append(Use(None if near else place, table, column, default, is_array))
        one = Live(
            None if is_visible else schema, name, tuple(labels), tuple(parsed), *_parsed(indexes, checks), is_foreign
        )
        found[schema, name] = one
        if is_visible:
            found[None, name] = one
    return found


def _parsed(indexes: list[str], checks: list[str]) -> tuple[Any, Any]:
    return tuple(tuple(json.loads(each)) for each in indexes), tuple(tuple(json.loads(each)) for each in checks)


def count_rows(connection: Any, live: Live, use: Use, label: str) -> int:
    """Count the rows that hold a member."""
    form = "{label}::text = any({column}::text[])" if use.is_array else "{column}::text = {label}::text"
    holds = sql.SQL(form).format(column=sql.Identifier(use.column), label=sql.Literal(label))
    table = sql.Identifier(*([use.schema] if use.schema else []), use.table)
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(sql.SQL("select pg_catalog.count(*) from {} where {}").format(table, holds))
        return int(cursor.fetchone()[0])
