"""The catalog's objects as rows, a query for each family.

Each row: kind, name, schema, what it belongs to (catalog, oid, number), its own address (catalog, oid, number), facets, words, the
statements that make it, the one that drops it. The search path is empty, so that the server writes every name with its schema.
"""

from __future__ import annotations

COMMON = """
with spaces as materialized (select oid, nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'stillroom')),
members as materialized (select classid, objid from pg_depend where deptype = 'e'),
rel as materialized (
  select c.*, s.nspname, format('%I.%I', s.nspname, c.relname) as name from pg_class c join spaces s on s.oid = c.relnamespace
  where not c.relispartition and c.relpersistence <> 't' and c.relkind <> 'f'
    and c.oid not in (select objid from members where classid = 'pg_class'::regclass)),
labels as materialized (
  select enumtypid, jsonb_agg(quote_literal(enumlabel) order by enumsortorder) as list,
         string_agg(quote_literal(enumlabel), ', ' order by enumsortorder) as parts
  from pg_enum group by enumtypid),
types as materialized (
  select t.*, s.nspname, format('%I.%I', s.nspname, t.typname) as name from pg_type t join spaces s on s.oid = t.typnamespace
  where t.oid not in (select objid from members where classid = 'pg_type'::regclass)),
col as materialized (
  select r.oid as relid, r.name as rel, r.nspname, r.relname, a.attnum, a.attname, format('%I', a.attname) as name, a.attnotnull,
         format_type(a.atttypid, a.atttypmod) as type, format_type(a.atttypid, -1) as bare_type,
         case a.attidentity when 'a' then 'ALWAYS' when 'd' then 'BY DEFAULT' else '' end as identity, a.attgenerated::text as generated,
         pg_get_expr(d.adbin, d.adrelid) as expression, t.typtype = 'e' as is_enum, r.relkind,
         case when a.attcollation <> t.typcollation then (select format('%I.%I', n.nspname, o.collname) from pg_collation o
           join pg_namespace n on n.oid = o.collnamespace where o.oid = a.attcollation) end as coll
  from rel r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped and a.attislocal
  join pg_type t on t.oid = a.atttypid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where r.relkind in ('r', 'p', 'c')),
clause as materialized (
  select *, concat_ws(' ', name, type, 'COLLATE ' || coll,
    case when generated <> '' then format('GENERATED ALWAYS AS (%s) %s', expression, case generated when 's' then 'STORED' else 'VIRTUAL' end)
         when identity <> '' then format('GENERATED %s AS IDENTITY', identity)
         when expression is not null then 'DEFAULT ' || expression end,
    case when attnotnull then 'NOT NULL' end) as clause from col)
"""

SPACES = """
select 'schema', format('%I', nspname), nspname, null::text, null::oid, null::int, 'pg_namespace', oid, 0,
       '{}'::jsonb, '{}'::jsonb, format('CREATE SCHEMA %I;', nspname), '' from spaces
union all
select 'extension', format('%I', extname), '', null, null, null, 'pg_extension', e.oid, 0, '{}'::jsonb, '{}'::jsonb,
       format('CREATE EXTENSION %I SCHEMA %I;', extname, n.nspname), ''
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
"""

TYPES = """
select case typtype when 'e' then 'enum' else 'composite type' end, name, nspname, null::text, null::oid, null::int, 'pg_type', oid, 0,
       case typtype when 'e' then jsonb_build_object('labels', coalesce(labels.list, '[]'))
       else jsonb_build_object('columns', p.parts) end,
       '{}'::jsonb, format('CREATE TYPE %s AS %s(%s);', name, case typtype when 'e' then 'ENUM ' else '' end,
         case typtype when 'e' then labels.parts else p.parts end),
       format('DROP TYPE %s;', name)
from types left join labels on enumtypid = types.oid
left join lateral (select string_agg(clause, ', ' order by attnum) as parts from clause where relid = typrelid) p on true
where typtype = 'e' or (typtype = 'c' and exists (select from pg_class where oid = typrelid and relkind = 'c'))
union all
select 'domain', name, nspname, null, null, null, 'pg_type', oid, 0,
       jsonb_build_object('type', format_type(typbasetype, typtypmod), 'default', typdefault, 'not null', typnotnull), '{}'::jsonb,
       format('CREATE DOMAIN %s AS %s%s%s;', name, format_type(typbasetype, typtypmod), ' DEFAULT ' || typdefault, case when typnotnull then ' NOT NULL' end),
       format('DROP DOMAIN %s;', name)
from types where typtype = 'd'
"""

SEQUENCES = """
select 'sequence', name, nspname, d.refclass, d.refobjid, d.refobjsubid, 'pg_class', r.oid, 0,
       jsonb_build_object('type', format_type(q.seqtypid, null), 'increment', q.seqincrement, 'minimum', q.seqmin, 'maximum', q.seqmax,
         'start', q.seqstart, 'cache', q.seqcache, 'cycle', q.seqcycle),
       jsonb_build_object('options', o.options), format('CREATE SEQUENCE %s %s;', name, o.options), format('DROP SEQUENCE IF EXISTS %s;', name)
from rel r join pg_sequence q on q.seqrelid = r.oid
cross join lateral (select format('AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s', format_type(q.seqtypid, null),
  q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, case when q.seqcycle then 'CYCLE' else 'NO CYCLE' end) as options) o
left join lateral (select 'pg_class' as refclass, refobjid, refobjsubid from pg_depend where classid = 'pg_class'::regclass and objid = r.oid
  and refclassid = 'pg_class'::regclass and deptype = 'a') d on true
where not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = r.oid and refclassid = 'pg_class'::regclass and deptype = 'i')
union all
select 'sequence owner', r.name, r.nspname, 'pg_class', r.oid, 0, 'sequence owner', r.oid, 0,
       jsonb_build_object('owner', c.rel || '.' || c.name),
       jsonb_build_object('setval', format('SELECT setval(%L, coalesce(max(%s), 0) + 1, false) FROM %s;', r.name, c.name, c.rel),
                          'column', c.relid::text || ' ' || c.attnum),
       format('ALTER SEQUENCE %s OWNED BY %s.%s;', r.name, c.rel, c.name), format('ALTER SEQUENCE %s OWNED BY NONE;', r.name)
from rel r join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass and d.deptype = 'a'
join col c on c.relid = d.refobjid and c.attnum = d.refobjsubid where r.relkind = 'S'
"""

TABLES = """
select 'table', name, nspname, null::text, null::oid, null::int, 'pg_class', oid, 0,
       jsonb_build_object('partition key', pg_get_partkeydef(oid), 'parents', parents, 'unlogged', relpersistence = 'u',
         'row security', relrowsecurity, 'forced row security', relforcerowsecurity),
       jsonb_build_object('relname', relname),
       format('CREATE %sTABLE %s (%s)%s%s;%s%s', case when relpersistence = 'u' then 'UNLOGGED ' end, name, parts, ' INHERITS (' || parents || ')',
         ' PARTITION BY ' || pg_get_partkeydef(oid),
         case when relrowsecurity then format(E'\\nALTER TABLE %s ENABLE ROW LEVEL SECURITY;', name) end,
         case when relforcerowsecurity then format(E'\\nALTER TABLE %s FORCE ROW LEVEL SECURITY;', name) end),
       format('DROP TABLE %s;', name)
from rel
left join lateral (select string_agg(clause, ', ' order by attnum) as parts from clause where relid = rel.oid) p on true
left join lateral (select string_agg(inhparent::regclass::text, ', ' order by inhseqno) as parents from pg_inherits where inhrelid = rel.oid) i on true
where relkind in ('r', 'p')
union all
select 'column', rel || '.' || name, nspname, 'pg_class', relid, 0, 'pg_class', relid, attnum,
       jsonb_build_object('type', type, 'collation', coll, 'not null', attnotnull, 'identity', identity, 'generated', generated, 'default', expression),
       jsonb_build_object('table', rel, 'column', name, 'clause', clause, 'is_enum', is_enum, 'bare type', bare_type,
         'setval', format('SELECT setval(pg_get_serial_sequence(%L, %L), coalesce(max(%s), 0) + 1, false) FROM %s;', rel, attname, name, rel)),
       format('ALTER TABLE %s ADD COLUMN %s;', rel, clause), format('ALTER TABLE %s DROP COLUMN %s;', rel, name)
from clause where relkind in ('r', 'p')
"""

CONSTRAINTS = """
select 'constraint', format('%I on %s', conname, r.name), r.nspname, 'pg_class', r.oid, 0, 'pg_constraint', k.oid, 0,
       jsonb_build_object('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), 'is validated', k.convalidated),
       jsonb_build_object('instead', format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', r.name, conname), 'type', k.contype),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s;', r.name, conname, pg_get_constraintdef(k.oid)),
       format('ALTER TABLE %s DROP CONSTRAINT %I;', r.name, conname)
from pg_constraint k join rel r on r.oid = k.conrelid
where k.contype in ('p', 'u', 'f', 'c', 'x') and k.conparentid = 0 and k.conislocal
union all
select 'constraint', format('%I on domain %s', conname, t.name), t.nspname, 'pg_type', t.oid, 0, 'pg_constraint', k.oid, 0,
       jsonb_build_object('definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''), 'is validated', k.convalidated),
       jsonb_build_object('instead', format('ALTER DOMAIN %s VALIDATE CONSTRAINT %I;', t.name, conname), 'type', k.contype),
       format('ALTER DOMAIN %s ADD CONSTRAINT %I %s;', t.name, conname, pg_get_constraintdef(k.oid)),
       format('ALTER DOMAIN %s DROP CONSTRAINT %I;', t.name, conname)
from pg_constraint k join types t on t.oid = k.contypid where k.contype = 'c'
"""

INDEXES = """
select 'index', x.name, x.nspname, 'pg_class', r.oid, 0, 'pg_class', x.oid, 0,
       jsonb_build_object('definition', d.definition, 'is valid', i.indisvalid), '{}'::jsonb,
       case x.relkind when 'i' then regexp_replace(d.definition, ' INDEX ', ' INDEX CONCURRENTLY ') else d.definition end || ';',
       format('DROP INDEX %s%s;', case x.relkind when 'i' then 'CONCURRENTLY ' end, x.name)
from pg_index i join rel x on x.oid = i.indexrelid join rel r on r.oid = i.indrelid
cross join lateral (select case x.relkind when 'I' then replace(pg_get_indexdef(x.oid), ' ON ONLY ', ' ON ') else pg_get_indexdef(x.oid) end as definition) d
where not exists (select from pg_constraint k where k.conindid = x.oid and k.conrelid = r.oid and k.contype in ('p', 'u', 'x'))
"""

VIEWS = """
select k.kind, name, nspname, null::text, null::oid, null::int, 'pg_class', oid, 0,
       jsonb_build_object('definition', v.definition, 'options', array_to_string(reloptions, ', ')),
       jsonb_build_object('columns', (select jsonb_agg(format('%I %s', attname, format_type(atttypid, atttypmod)) order by attnum)
         from pg_attribute where attrelid = rel.oid and attnum > 0)),
       format(E'CREATE %s %s%s AS\\n%s', upper(k.kind), name, ' WITH (' || array_to_string(reloptions, ', ') || ')', v.definition),
       format('DROP %s %s;', upper(k.kind), name)
from rel cross join lateral (select case relkind when 'v' then 'view' else 'materialized view' end as kind) k
cross join lateral (select pg_get_viewdef(rel.oid) as definition) v
where relkind in ('v', 'm')
"""

FUNCTIONS = """
select k.kind, format('%I.%I(%s)', s.nspname, proname, k.args), s.nspname, null::text, null::oid, null::int, 'pg_proc', p.oid, 0,
       jsonb_build_object('definition', pg_get_functiondef(p.oid)),
       jsonb_build_object('signature', concat_ws(' returns ', pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)), 'language', l.lanname),
       rtrim(pg_get_functiondef(p.oid), E'\\n') || ';', format('DROP %s %I.%I(%s);', upper(k.kind), s.nspname, proname, k.args)
from pg_proc p join spaces s on s.oid = p.pronamespace join pg_language l on l.oid = p.prolang
cross join lateral (select case prokind when 'p' then 'procedure' else 'function' end as kind, oidvectortypes(proargtypes) as args) k
where prokind in ('f', 'p', 'w') and p.oid not in (select objid from members where classid = 'pg_proc'::regclass)
"""

TRIGGERS = """
select 'trigger', format('%I on %s', tgname, r.name), r.nspname, 'pg_class', r.oid, 0, 'pg_trigger', t.oid, 0,
       jsonb_build_object('definition', pg_get_triggerdef(t.oid), 'state', e.state),
       jsonb_build_object('instead', format('ALTER TABLE %s %s TRIGGER %I;', r.name, e.state, tgname)),
       concat(pg_get_triggerdef(t.oid), ';', case tgenabled when 'O' then '' else format(E'\\nALTER TABLE %s %s TRIGGER %I;', r.name, e.state, tgname) end),
       format('DROP TRIGGER %I ON %s;', tgname, r.name)
from pg_trigger t join rel r on r.oid = t.tgrelid
cross join lateral (select case tgenabled when 'D' then 'DISABLE' when 'A' then 'ENABLE ALWAYS' when 'R' then 'ENABLE REPLICA' else 'ENABLE' end as state) e
where not tgisinternal
union all
select 'policy', format('%I on %s', polname, r.name), r.nspname, 'pg_class', r.oid, 0, 'pg_policy', p.oid, 0,
       jsonb_build_object('definition', d.definition), '{}'::jsonb,
       format('CREATE POLICY %I ON %s %s;', polname, r.name, d.definition), format('DROP POLICY %I ON %s;', polname, r.name)
from pg_policy p join rel r on r.oid = p.polrelid
cross join lateral (select concat_ws(' ', case when polpermissive then 'AS PERMISSIVE' else 'AS RESTRICTIVE' end,
  'FOR ' || case polcmd when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' else 'ALL' end,
  'TO ' || (select string_agg(case o when 0 then 'PUBLIC' else format('%I', pg_get_userbyid(o)) end, ', ' order by pg_get_userbyid(o)) from unnest(polroles) o),
  'USING (' || pg_get_expr(polqual, polrelid) || ')', 'WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')') as definition) d
"""

FAMILIES = (SPACES, TYPES, SEQUENCES, TABLES, CONSTRAINTS, INDEXES, VIEWS, FUNCTIONS, TRIGGERS)

COMMENTS = """
select classoid::regclass::text, objoid, objsubid, description, quote_literal(description) from pg_description
where classoid in ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_constraint'::regclass, 'pg_trigger'::regclass, 'pg_policy'::regclass)
  and objoid >= 16384
"""

# What others may do with views and functions, which dropping them takes along.
GRANTS = """
select 'pg_class', r.oid, string_agg(format('GRANT %s ON %s TO %s;', a.privilege_type, r.name, w.who), E'\\n' order by w.who, a.privilege_type)
from rel r cross join lateral aclexplode(r.relacl) a
cross join lateral (select case a.grantee when 0 then 'PUBLIC' else format('%I', pg_get_userbyid(a.grantee)) end
  || case when a.is_grantable then ' WITH GRANT OPTION' else '' end as who) w
where r.relkind in ('v', 'm') and a.grantee <> r.relowner group by r.oid
union all
select 'pg_proc', p.oid, concat_ws(E'\\n', format('REVOKE ALL ON ROUTINE %s FROM PUBLIC;', f.name),
  string_agg(format('GRANT EXECUTE ON ROUTINE %s TO %s;', f.name, w.who), E'\\n' order by w.who) filter (where a.grantee <> p.proowner))
from pg_proc p join spaces s on s.oid = p.pronamespace
cross join lateral (select format('%I.%I(%s)', s.nspname, p.proname, oidvectortypes(p.proargtypes)) as name) f
cross join lateral aclexplode(p.proacl) a
cross join lateral (select case a.grantee when 0 then 'PUBLIC' else format('%I', pg_get_userbyid(a.grantee)) end
  || case when a.is_grantable then ' WITH GRANT OPTION' else '' end as who) w
group by p.oid, p.proowner, f.name
"""

# Catalog entries that stand for another one: a view's rule, a column's default, a table's row type, a constraint's index.
STAND_INS = """
select 'pg_rewrite', oid, 0, 'pg_class', ev_class, 0 from pg_rewrite where oid >= 16384
union all select 'pg_attrdef', oid, 0, 'pg_class', adrelid, adnum from pg_attrdef
union all select 'pg_type', typarray, 0, 'pg_type', oid, 0 from pg_type where typarray <> 0 and oid >= 16384
union all select 'pg_type', t.oid, 0, 'pg_class', c.oid, 0 from pg_type t join pg_class c on c.oid = t.typrelid where c.relkind <> 'c' and t.oid >= 16384
union all select 'pg_class', c.oid, 0, 'pg_type', c.reltype, 0 from pg_class c where c.relkind = 'c' and c.oid >= 16384
union all select 'pg_class', conindid, 0, 'pg_constraint', oid, 0 from pg_constraint where contype in ('p', 'u', 'x') and conindid >= 16384
"""

USES = """
select classid::regclass::text, objid, objsubid, refclassid::regclass::text, refobjid, refobjsubid from pg_depend
where deptype in ('n', 'a', 'i') and objid >= 16384 and refobjid >= 16384
"""
