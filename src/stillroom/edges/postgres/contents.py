"""Everything that a restored copy is compared with, read in the transaction that is open, with an empty search path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stillroom.core.contents import (
    Contents,
    Extension,
    LargeObjects,
    Origin,
    Right,
    SequenceValue,
)
from stillroom.core.schema_marks import mark_objects
from stillroom.edges.postgres.belongings import read_belongings
from stillroom.edges.postgres.catalog import read_schema_within
from stillroom.edges.postgres.errors import translated

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

ORIGIN = """
select (select system_identifier::text from pg_catalog.pg_control_system()), d.oid::bigint,
       pg_catalog.pg_snapshot_xmax(s.seen)::text, array(select each::text from pg_catalog.pg_snapshot_xip(s.seen) each),
       case when pg_catalog.pg_is_in_recovery() then '' else pg_catalog.pg_current_wal_lsn()::text end,
       pg_catalog.pg_encoding_to_char(d.encoding)::text,
       pg_catalog.concat_ws(' '::text,
         coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale'::text, pg_catalog.to_jsonb(d) ->> 'daticulocale'::text, d.datcollate::text),
         pg_catalog.to_jsonb(d) ->> 'datcollversion'::text),
       pg_catalog.pg_database_size(d.oid), pg_catalog.pg_get_userbyid(d.datdba)::text
from pg_database d, (select pg_catalog.pg_current_snapshot() as seen) s where d.datname = pg_catalog.current_database()
"""
SEQUENCES = """
select pg_catalog.format('%%I.%%I'::text, schemaname, sequencename), last_value, increment_by, cycle
from pg_catalog.pg_sequences where %(all)s or schemaname::text = any(%(schemas)s::text[]) order by 1
"""
EXTENSIONS = "select extname::text, extversion from pg_extension order by 1"
EXTENSION_TABLES = """
select pg_catalog.concat(n.nspname, '.', c.relname) from pg_extension e cross join pg_catalog.unnest(e.extconfig) t
join pg_class c on c.oid = t join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') order by 1
"""
ROLES = """
select distinct r.rolname::text from pg_shdepend d join pg_roles r on r.oid = d.refobjid
join pg_database b on b.datname = pg_catalog.current_database()
where d.refclassid = 'pg_authid'::regclass::oid
  and (d.dbid = b.oid or (d.dbid = 0::oid and d.classid = 'pg_database'::regclass::oid and d.objid = b.oid))
order by 1
"""
NAMED_ROLES = """
select r.rolname::text from pg_policy p cross join pg_catalog.unnest(p.polroles) o join pg_roles r on r.oid = o
join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
where %(all)s or n.nspname::text = any(%(schemas)s::text[])
union select r.rolname::text from pg_catalog.pg_user_mappings m join pg_roles r on r.oid = m.umuser where %(all)s order by 1
"""
RIGHTS = """
with members as materialized (select classid, objid from pg_depend where deptype = 'e'),
spaces as materialized (
  select * from pg_namespace where nspname::text !~ '^pg_'::text and nspname::text <> all ('{information_schema,stillroom}'::text[])),
objects as (
  select 'schema' as kind, 'pg_namespace'::regclass::oid as classid, oid, pg_catalog.quote_ident(nspname::text) as name, nspowner as owner, nspacl as acl,
         'n'::"char" as type from spaces
  union all
  select case c.relkind when 'S' then 'sequence' when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, 'pg_class'::regclass::oid, c.oid,
         pg_catalog.format('%I.%I'::text, s.nspname, c.relname), c.relowner, c.relacl, case c.relkind when 'S' then 's'::"char" else 'r'::"char" end
  from pg_class c join spaces s on s.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and c.relpersistence <> 't'
  union all
  select 'routine', 'pg_proc'::regclass::oid, p.oid, pg_catalog.format('%I.%I(%s)'::text, s.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes)),
         p.proowner, p.proacl, 'f'::"char" from pg_proc p join spaces s on s.oid = p.pronamespace
  union all
  select 'type', 'pg_type'::regclass::oid, t.oid, pg_catalog.format('%I.%I'::text, s.nspname, t.typname), t.typowner, t.typacl, 'T'::"char"
  from pg_type t join spaces s on s.oid = t.typnamespace where t.typtype in ('e', 'd')
  union all
  select 'column', 'pg_class'::regclass::oid, c.oid, pg_catalog.format('%I.%I.%I'::text, s.nspname, c.relname, a.attname), c.relowner, a.attacl, 'c'::"char"
  from pg_attribute a join pg_class c on c.oid = a.attrelid join spaces s on s.oid = c.relnamespace where a.attacl is not null)
select o.kind, o.name, pg_catalog.pg_get_userbyid(o.owner)::text, coalesce((
  select pg_catalog.string_agg(pg_catalog.format('%s=%s'::text, g.who, g.what), ' '::text order by g.who) from (
    select case a.grantee when 0::oid then 'PUBLIC'::text else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)::text) end as who,
           pg_catalog.string_agg(pg_catalog.concat(a.privilege_type, case when a.is_grantable then '*'::text end), ','::text order by a.privilege_type) as what
    from pg_catalog.aclexplode(coalesce(o.acl, pg_catalog.acldefault(o.type, o.owner))) a group by a.grantee) g), '')
from objects o where not exists (select from members m where m.classid = o.classid and m.objid = o.oid)
order by 1, 2
"""
DEFAULT_PRIVILEGES = """
select pg_catalog.format('%s in %s on %s: %s'::text, pg_catalog.pg_get_userbyid(d.defaclrole), coalesce(n.nspname::text, 'every schema'::text),
                         d.defaclobjtype, (
  select pg_catalog.string_agg(pg_catalog.format('%s=%s%s'::text,
           case a.grantee when 0::oid then 'PUBLIC'::text else pg_catalog.pg_get_userbyid(a.grantee)::text end, a.privilege_type,
           case when a.is_grantable then '*'::text end), ' '::text order by a.grantee, a.privilege_type)
  from pg_catalog.aclexplode(d.defaclacl) a))
from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace order by 1
"""
COUNT_LARGE = "select pg_catalog.count(*) from pg_largeobject_metadata"
HASH_LARGE = """
select pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.length(l.data)), 0::bigint)::bigint, coalesce(pg_catalog.sum(
         pg_catalog.hashtextextended(pg_catalog.concat(l.oid, ' ', pg_catalog.md5(l.data)), 0::bigint)), 0::numeric)::text
from (select m.oid, pg_catalog.lo_get(m.oid) as data from pg_largeobject_metadata m) l
"""


def read_contents(
    connection: Connection, *, version_table: str, hashes: bool, schemas: tuple[str, ...] = ()
) -> Contents:
    """Read the schema and what belongs to it, in the transaction that is open.

    Args:
        connection: In a transaction with an empty search path.
        version_table: Left out of the schema, as its rows are what is compared.
        schemas: Only what is in these, without large objects and rights; none for everything.
        hashes: Read the large objects, too, and not only how many there are.

    Raises:
        DatabaseError: The server refused.
    """
    with translated("reading what the database holds"), connection.cursor() as cursor:
        origin, database = _read_origin(cursor, connection), connection.info.dbname
        chosen = {"all": not schemas, "schemas": list(schemas)}
        cursor.execute(SEQUENCES, chosen)
        sequences = tuple(SequenceValue(*row) for row in cursor.fetchall())
        cursor.execute(NAMED_ROLES, chosen)
        named_roles = tuple(name for (name,) in cursor.fetchall())
        schema = read_schema_within(cursor, version_table)
        large = (0,) if schemas else _rows(cursor, HASH_LARGE if hashes else COUNT_LARGE)[0]
        return Contents(
            sequences=sequences,
            large_objects=LargeObjects(*large),
            objects=mark_objects(schema.within(frozenset(schemas)) if schemas else schema),
            rights=() if schemas else tuple(Right(*row) for row in _rows(cursor, RIGHTS)),
            default_privileges=() if schemas else tuple(row[0] for row in _rows(cursor, DEFAULT_PRIVILEGES)),
            extensions=tuple(Extension(*row) for row in _rows(cursor, EXTENSIONS)),
            extension_tables=tuple(row[0] for row in _rows(cursor, EXTENSION_TABLES)),
            roles=tuple(row[0] for row in _rows(cursor, ROLES)),
            named_roles=named_roles,
            belongings=read_belongings(cursor, database),
            origin=origin,
        )


def _rows(cursor: Cursor, query: str) -> list[tuple[Any, ...]]:
    cursor.execute(query)
    return cursor.fetchall()


def _read_origin(cursor: Cursor, connection: Connection) -> Origin:
    identifier, oid, xmax, running, lsn, encoding, collation, size, owner = _rows(cursor, ORIGIN)[0]
    return Origin(
        system_identifier=identifier,
        database_oid=oid,
        # xmin of a row has no epoch.
        xmax=int(xmax) % 2**32,
        running=tuple(int(each) % 2**32 for each in running),
        wal_lsn=lsn,
        encoding=encoding,
        collation=collation,
        size_bytes=size,
        owner=owner,
        major=connection.info.server_version // 10_000,
    )
