"""What hangs on a schema from other schemas, and would go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.errors import RefusedError

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

# What lives in other schemas and could hang on what is dropped: relations, columns, constraints, functions, types, triggers, policies.
OUTSIDE = """
with spaces as (select oid, nspname from pg_namespace where nspname::text !~ '^pg_'::text
  and nspname <> 'information_schema' and not nspname = any(%(schemas)s))
select pg_catalog.format('%%s %%I.%%I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end,
              s.nspname, c.relname)
from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f')
union all select pg_catalog.format('column %%I.%%I.%%I', s.nspname, c.relname, a.attname)
from pg_attribute a join pg_class c on c.oid = a.attrelid join spaces s on s.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f')
union all select pg_catalog.format('default of %%I.%%I.%%I', s.nspname, c.relname, a.attname)
from pg_attrdef d join pg_class c on c.oid = d.adrelid join spaces s on s.oid = c.relnamespace
join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
union all select pg_catalog.format('constraint %%I on %%I.%%I', k.conname, s.nspname, c.relname)
from pg_constraint k join pg_class c on c.oid = k.conrelid join spaces s on s.oid = c.relnamespace
union all select pg_catalog.format('function %%I.%%I(%%s)', s.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid))
from pg_proc p join spaces s on s.oid = p.pronamespace
union all select pg_catalog.format('type %%I.%%I', s.nspname, t.typname) from pg_type t join spaces s on s.oid = t.typnamespace where t.typtype in ('e', 'd')
union all select pg_catalog.format('trigger %%I on %%I.%%I', t.tgname, s.nspname, c.relname)
from pg_trigger t join pg_class c on c.oid = t.tgrelid join spaces s on s.oid = c.relnamespace where not t.tgisinternal
union all select pg_catalog.format('policy %%I on %%I.%%I', p.polname, s.nspname, c.relname)
from pg_policy p join pg_class c on c.oid = p.polrelid join spaces s on s.oid = c.relnamespace
"""


def read_outside(cursor: Cursor, schemas: list[str]) -> frozenset[str]:
    """Describe everything in other schemas that could hang on these, a line each."""
    cursor.execute(OUTSIDE, {"schemas": schemas})
    return frozenset(line for (line,) in cursor.fetchall())


def require_nothing_outside(taken: tuple[str, ...], *, allows_outside: bool) -> None:
    """Refuse to take along what was not meant.

    Raises:
        RefusedError: Something would go, and `--allow outside` was not given.
    """
    if taken and not allows_outside:
        shown = ", ".join(taken[:10]) + (f" and {len(taken) - 10} more" if len(taken) > 10 else "")
        raise RefusedError(
            f"this would take along what hangs on it in other schemas: {shown}; nothing was touched",
            hint="if that is meant: `invoke reset-dev --allow outside`",
        )
