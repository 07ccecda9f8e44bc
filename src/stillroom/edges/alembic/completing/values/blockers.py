"""What the database lets stand in the way of a column that goes or gets another type: views, generated columns, rules of others.

Source: PostgreSQL documentation, "ALTER TABLE" and "Dependency Tracking": neither is done below one of them without CASCADE.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import findings_of, flatten, shown
from stillroom.edges.alembic.completing.operations import RetypeColumnOp, live_names
from stillroom.edges.alembic.completing.places import changed_tables

_BLOCKERS = """
select n.nspname = pg_catalog.current_schema(), n.nspname::text, c.relname::text, a.attname::text,
  pg_catalog.pg_describe_object(p.classid, p.objid, p.objsubid), coalesce(g.attname::text, '')
from pg_catalog.pg_depend p join pg_catalog.pg_class c on c.oid = p.refobjid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum::integer = p.refobjsubid
left join pg_catalog.pg_attrdef d on p.classid = 'pg_catalog.pg_attrdef'::regclass::oid and d.oid = p.objid
left join pg_catalog.pg_attribute g on g.attrelid = c.oid and g.attgenerated <> ''::"char" and g.attnum <> a.attnum and (
  g.attnum = d.adnum or p.classid = 'pg_catalog.pg_class'::regclass::oid and p.objid = c.oid and g.attnum::integer = p.objsubid)
where p.refclassid = 'pg_catalog.pg_class'::regclass::oid and c.relkind in ('r', 'p') and c.relname::text = any(%s::text[])
  and (g.attnum is not null or p.classid in ('pg_catalog.pg_rewrite'::regclass::oid, 'pg_catalog.pg_policy'::regclass::oid,
    'pg_catalog.pg_trigger'::regclass::oid, 'pg_catalog.pg_proc'::regclass::oid)) order by 1, 2, 3, 4, 5
"""
RETYPED, DROPPED = "cannot get another type", "cannot be dropped"


def name_blockers(context: Any, upgrade: Any) -> None:
    """Refuse what would fail when it is applied; columns that are computed of others go before these."""
    _drop_computed_first(upgrade)
    new = {
        (each.schema, each.table_name, each.column.name)
        for each in flatten(upgrade)
        if isinstance(each, ops.AddColumnOp)
    }
    columns: dict[tuple[Any, ...], str] = {}
    for each in flatten(upgrade):
        is_meant = isinstance(each, RetypeColumnOp | ops.DropColumnOp)
        if is_meant and (each.schema, each.table_name, each.column_name) not in new:
            word = DROPPED if isinstance(each, ops.DropColumnOp) else RETYPED
            columns[each.schema, *live_names(upgrade, each)] = word
    tables = {(each.schema, each.table_name) for each in flatten(upgrade) if isinstance(each, ops.DropTableOp)}
    if context.connection is None or not (columns or tables):
        return
    names = sorted({str(name) for _, name, *_ in [*columns, *tables]})
    with context.connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(_BLOCKERS, (names,))
        rows = cursor.fetchall()
    found: dict[tuple[str, str], list[str]] = {}
    for near, schema, table, column, blocker, computed in rows:
        place = None if near else schema
        if columns.get((place, table, computed)) == DROPPED:
            continue
        if (place, table, column) in columns:
            key = f"column {shown(place, table, column)}", columns[place, table, column]
            found.setdefault(key, []).append(blocker)
        elif (place, table) in tables and not computed:
            found.setdefault((f"table {shown(place, table)}", DROPPED), []).append(blocker)
    for (what, word), blockers in found.items():
        text = f"{what} {word} below {', '.join(dict.fromkeys(blockers))}; take that away in a revision before, and make it anew after"
        findings_of(context).questions.append(Question("convert", what.partition(" ")[2], text, may_be_lost=False))


def _drop_computed_first(upgrade: Any) -> None:
    for table in changed_tables(upgrade):
        drops = [each for each in table.ops if isinstance(each, ops.DropColumnOp)]
        ordered = iter(sorted(drops, key=lambda each: each.to_column().computed is None))
        table.ops[:] = [next(ordered) if each in drops else each for each in table.ops]
