"""A schema emptied in place: one that this role may not drop, as `public` before PostgreSQL 15, or could not make anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg2 import sql

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

# Extensions stay, and so do their members. Row types go with their tables, array types with their elements.
OBJECTS = """
with space as (select oid from pg_namespace where nspname = %(schema)s),
members as (select classid, objid from pg_depend where deptype in ('e', 'i'))
select case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence' when 'c' then 'type'
         else 'table' end, pg_catalog.format('%%I.%%I', %(schema)s, c.relname)
from pg_class c where c.relnamespace = (select oid from space) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  and ('pg_class'::regclass::oid, c.oid) not in (select classid, objid from members)
union all
select 'routine', p.oid::regprocedure::text from pg_proc p where p.pronamespace = (select oid from space)
  and ('pg_proc'::regclass::oid, p.oid) not in (select classid, objid from members)
union all
select 'type', pg_catalog.format('%%I.%%I', %(schema)s, t.typname) from pg_type t where t.typnamespace = (select oid
  from space) and t.typtype in ('e', 'd', 'r')
  and ('pg_type'::regclass::oid, t.oid) not in (select classid, objid from members)
"""


def may_drop(cursor: Cursor, owner: str) -> bool:
    """Ask whether the role may drop a schema of this owner."""
    cursor.execute("select pg_catalog.pg_has_role(current_user, %s, 'USAGE')", (owner,))
    row = cursor.fetchone()
    return bool(row and row[0])


def empty_schema(cursor: Cursor, schema: str) -> None:
    """Drop every table, view, sequence, type and routine in the schema that is not an extension's."""
    cursor.execute(OBJECTS, {"schema": schema})
    for kind, name in cursor.fetchall():
        # Both come from the catalog, quoted by the server; one may have gone with another.
        cursor.execute(sql.SQL("drop {} if exists {} cascade").format(sql.SQL(kind), sql.SQL(name)))
