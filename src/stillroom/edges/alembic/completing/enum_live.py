"""The enum types of the database, and the columns that have them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from psycopg2 import sql

from stillroom.edges.alembic.completing.findings import quoted

_EXISTING = """
select n.nspname, t.typname, pg_catalog.pg_type_is_visible(t.oid),
  array(select e.enumlabel::text from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
  array(select pg_catalog.jsonb_build_array(cn.nspname, c.relname, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      a.atttypid <> t.oid, pg_catalog.pg_table_is_visible(c.oid))::text
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.atttypid in (t.oid, t.typarray) and not a.attisdropped and c.relkind in ('r', 'p') and not c.relispartition
    order by 1),
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
    """An enum type of the database."""

    schema: str | None
    name: str
    labels: tuple[str, ...]
    uses: tuple[Use, ...]
    is_foreign: bool

    @property
    def quoted(self) -> str:
        """Its name as SQL."""
        return quoted(self.schema, self.name)


def read_enums(connection: Any) -> dict[tuple[str | None, str], Live]:
    """Read all enum types, by schema and name; a visible one by its name alone as well."""
    found: dict[tuple[str | None, str], Live] = {}
    for schema, name, is_visible, labels, uses, is_foreign in connection.exec_driver_sql(_EXISTING).all():
        parsed = []
        for place, table, column, default, is_array, near in (json.loads(each) for each in uses):
            parsed.append(Use(None if near else place, table, column, default, is_array))
        one = Live(None if is_visible else schema, name, tuple(labels), tuple(parsed), is_foreign)
        found[schema, name] = one
        if is_visible:
            found[None, name] = one
    return found


def count_rows(connection: Any, live: Live, use: Use, label: str) -> int:
    """Count the rows that hold a member."""
    form = "{label}::text = any({column}::text[])" if use.is_array else "{column}::text = {label}::text"
    holds = sql.SQL(form).format(column=sql.Identifier(use.column), label=sql.Literal(label))
    table = sql.Identifier(*([use.schema] if use.schema else []), use.table)
    with connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(sql.SQL("select pg_catalog.count(*) from {} where {}").format(table, holds))
        return int(cursor.fetchone()[0])
