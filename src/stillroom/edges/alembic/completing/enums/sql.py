"""What the catalog knows of enum types: one row for each, with all that hangs on it."""

from __future__ import annotations

EXISTING = """
select n.nspname, t.typname, pg_catalog.pg_type_is_visible(t.oid),
  array(select e.enumlabel::text from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder),
  array(select pg_catalog.jsonb_build_array(cn.nspname, c.relname, a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      a.atttypid <> t.oid, pg_catalog.pg_table_is_visible(c.oid), a.attnotnull)::text
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
  exists (select from pg_catalog.pg_depend p where p.objid = t.oid and p.classid = 'pg_catalog.pg_type'::regclass::oid and p.deptype = 'e'),
  t.oid::regtype::text,
  array(select pg_catalog.jsonb_build_array(k.conrelid::regclass::text, pg_catalog.quote_ident(k.conname::text), pg_catalog.pg_get_constraintdef(k.oid))::text
    from pg_catalog.pg_constraint k where k.contype = 'f' and k.conparentid = 0::oid and exists (select from pg_catalog.pg_attribute a
      where a.atttypid in (t.oid, t.typarray) and (a.attrelid = k.conrelid and a.attnum = any(k.conkey)
        or a.attrelid = k.confrelid and a.attnum = any(k.confkey)))
    order by 1),
  array(select pg_catalog.pg_describe_object(p.classid, p.objid, p.objsubid) from pg_catalog.pg_depend p
    join pg_catalog.pg_attribute a on a.attrelid = p.refobjid and a.attnum::integer = p.refobjsubid and a.atttypid in (t.oid, t.typarray)
    where p.refclassid = 'pg_catalog.pg_class'::regclass::oid and (p.classid in ('pg_catalog.pg_rewrite'::regclass::oid, 'pg_catalog.pg_policy'::regclass::oid,
        'pg_catalog.pg_trigger'::regclass::oid, 'pg_catalog.pg_proc'::regclass::oid, 'pg_catalog.pg_publication_rel'::regclass::oid)
      or exists (select from pg_catalog.pg_attrdef d join pg_catalog.pg_attribute g on g.attrelid = d.adrelid and g.attnum = d.adnum
        where p.classid = 'pg_catalog.pg_attrdef'::regclass::oid and d.oid = p.objid and g.attnum <> a.attnum)
      or exists (select from pg_catalog.pg_attribute g where p.classid = 'pg_catalog.pg_class'::regclass::oid and g.attrelid = p.objid
        and g.attnum::integer = p.objsubid and g.attgenerated <> ''::"char"))
    union select pg_catalog.pg_describe_object(p.classid, p.objid, p.objsubid) from pg_catalog.pg_depend p
    where p.refclassid = 'pg_catalog.pg_type'::regclass::oid and p.refobjid in (t.oid, t.typarray) and (p.classid in ('pg_catalog.pg_proc'::regclass::oid,
        'pg_catalog.pg_rewrite'::regclass::oid, 'pg_catalog.pg_cast'::regclass::oid, 'pg_catalog.pg_operator'::regclass::oid)
      or exists (select from pg_catalog.pg_type o where p.classid = 'pg_catalog.pg_type'::regclass::oid and o.oid = p.objid and o.typtype = 'd')
      or exists (select from pg_catalog.pg_class o where p.classid = 'pg_catalog.pg_class'::regclass::oid and o.oid = p.objid and o.relkind in ('c', 'f')))
    union select 'the partition key of ' || k.partrelid::regclass::text from pg_catalog.pg_partitioned_table k join pg_catalog.pg_attribute a
      on a.attrelid = k.partrelid and a.attnum = any(k.partattrs::smallint[]) and a.atttypid in (t.oid, t.typarray)
    order by 1)
from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype = 'e' order by 1, 2
"""
