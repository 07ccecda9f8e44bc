"""The schema as a set of lines, so that two databases can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.edges.postgres.current import pin_search_path
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# One line for each thing that a migration makes. Oids, owners and sizes are left out: they differ between databases
# that are the same to an application. Extensions' members and our own schema are left out as well.
LINES = """
with spaces as (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'stillroom')),
rel as (select c.*, s.nspname from pg_class c join spaces s on s.oid = c.relnamespace
        where not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
          and c.relname <> %(version_table)s and c.relname <> %(version_table)s || '_pkc')
select format('table %%I.%%I kind %%s', nspname, relname, relkind) from rel where relkind in ('r', 'p', 'f')
union all select format('view %%I.%%I %%s', nspname, relname, md5(pg_get_viewdef(oid))) from rel where relkind in ('v', 'm')
union all select format('sequence %%I.%%I', nspname, relname) from rel where relkind = 'S'
union all
select format('column %%I.%%I.%%I %%s%%s%%s%%s', r.nspname, r.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              case when a.attnotnull then ' not null' else '' end,
              coalesce(' default ' || pg_get_expr(ad.adbin, ad.adrelid), ''), case a.attidentity when '' then '' else ' identity ' || a.attidentity::text end)
from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum where r.relkind in ('r', 'p', 'f')
union all
select format('constraint %%I on %%I.%%I %%s%%s', k.conname, r.nspname, r.relname, pg_get_constraintdef(k.oid),
              case when k.convalidated then '' else ' (not valid)' end)
from pg_constraint k join rel r on r.oid = k.conrelid where k.contype <> 'n'
union all
select format('index %%s%%s', pg_get_indexdef(i.indexrelid), case when i.indisvalid then '' else ' (invalid)' end)
from pg_index i join rel r on r.oid = i.indrelid
union all
select format('enum %%I.%%I (%%s)', s.nspname, t.typname,
              (select string_agg(e.enumlabel, ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
from pg_type t join spaces s on s.oid = t.typnamespace where t.typtype = 'e'
union all
select format('function %%I.%%I(%%s) %%s', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid), md5(coalesce(p.prosrc, '')))
from pg_proc p join spaces s on s.oid = p.pronamespace
where not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
union all
select format('trigger %%s', pg_get_triggerdef(t.oid)) from pg_trigger t join rel r on r.oid = t.tgrelid where not t.tgisinternal
"""


def read_catalog(connection: Connection, *, version_table: str, search_path: str | None) -> frozenset[str]:
    """Describe every table, column, constraint, index, type, function and trigger, a line each.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading the schema"), connection.cursor() as cursor:
        pin_search_path(cursor, search_path, is_local=False)
        cursor.execute(LINES, {"version_table": version_table})
        return frozenset(line for (line,) in cursor.fetchall())
