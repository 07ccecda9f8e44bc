"""A serial column that becomes an identity column or a larger one, and goes on counting where it stands.

PostgreSQL refuses to put an identity on a column that has a default, so the default goes first, with its sequence, and the new
sequence takes over where the old one was. Source: PostgreSQL documentation, "ALTER TABLE", ADD GENERATED.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import Identity

from stillroom.core.casts import WHOLE
from stillroom.core.constraint_names import ConstraintNames
from stillroom.edges.alembic.completing.findings import ddl_of, findings_of, literal, quoted, shown, words
from stillroom.edges.alembic.completing.operations import ChangeIdentityOp, StatementOp, Way, live_names
from stillroom.edges.alembic.completing.places import altered, changed_tables

_SERIAL = """
select tn.nspname::text, t.relname::text, a.attname::text, tn.nspname = pg_catalog.current_schema(),
  s.relname::text, pg_catalog.format_type(q.seqtypid, null), pg_catalog.pg_get_expr(e.adbin, e.adrelid)
from pg_catalog.pg_depend d join pg_catalog.pg_class s on s.oid = d.objid and s.relkind = 'S'
join pg_catalog.pg_sequence q on q.seqrelid = s.oid
join pg_catalog.pg_class t on t.oid = d.refobjid join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum::integer = d.refobjsubid
join pg_catalog.pg_attrdef e on e.adrelid = t.oid and e.adnum = a.attnum
where d.classid = 'pg_catalog.pg_class'::regclass::oid and d.refclassid = 'pg_catalog.pg_class'::regclass::oid
  and d.deptype = 'a' and pg_catalog.pg_get_expr(e.adbin, e.adrelid) like 'nextval(%%'
"""
NAME_BYTES = 63
BEFORE = "_before"


def settle_identities(context: Any, upgrade: Any) -> None:
    """Take the default and the sequence of a serial column away before it becomes an identity column, both ways."""
    tables = changed_tables(upgrade)
    changed = any(_begins_identity(each) or _counts_otherwise(each) for table in tables for each in table.ops)
    if context.connection is None or not changed:
        return
    rows = context.connection.exec_driver_sql(_SERIAL).all()
    serial = {(None if near else schema, table, column): rest for schema, table, column, near, *rest in rows}
    for table in tables:
        resized: list[Any] = [each for each in table.ops if _counts_otherwise(each)]
        for change in resized:
            found = serial.get((change.schema, *live_names(upgrade, change)))
            if found and not isinstance(change.modify_server_default, Identity):
                table.ops.insert(table.ops.index(change) + 1, _resize(change, *found[:2]))
        changes: list[Any] = [each for each in table.ops if _begins_identity(each)]
        for change in changes:
            found = serial.get((change.schema, *live_names(upgrade, change)))
            if found:
                at = table.ops.index(change)
                table.ops[at : at + 1] = _exchange(change, *found)
                column = shown(change.schema, change.table_name, change.column_name)
                findings_of(context).note(
                    f"{column}: serial becomes identity; its sequence is made anew and goes on where the old one stands, "
                    f"without the rights that were granted on {found[0]}"
                )


def _resize(change: Any, sequence: str, kind: str) -> StatementOp:
    """Let the sequence count as far as the column does: PostgreSQL changes only that of an identity column along with it."""
    name, new = quoted(change.schema, sequence), ddl_of(change.modify_type).lower()

    def way(kind: str) -> Way:
        return Way((words("ALTER SEQUENCE", name, "AS", kind),), f"alter_sequence {sequence}: {kind}")

    return StatementOp("alter_sequence", way(new), way(kind), table=change.table_name)


def _counts_otherwise(change: Any) -> bool:
    is_change = type(change) is ops.AlterColumnOp and change.modify_type is not None
    return is_change and all(ddl_of(each) in WHOLE for each in (change.existing_type, change.modify_type))


def _begins_identity(change: Any) -> bool:
    return (
        type(change) is ops.AlterColumnOp
        and isinstance(change.modify_server_default, Identity)
        and not change.existing_server_default
    )


def _exchange(change: Any, sequence: str, kind: str, default: str) -> list[Any]:
    """What else changes of the column stays an operation of its own."""
    table, column = quoted(change.schema, change.table_name), quoted(change.column_name)
    name = ConstraintNames().make(change.table_name, (change.column_name,), "seq")
    aside = _aside(name) if sequence == name else sequence
    new, given, old = (quoted(change.schema, each) for each in (name, sequence, aside))
    where = shown(change.schema, change.table_name, change.column_name)
    of_column = words("ALTER TABLE", table, "ALTER COLUMN", column)
    goes = [words(of_column, "DROP DEFAULT"), words("ALTER SEQUENCE", given, "OWNED BY NONE")]
    comes = [
        words("ALTER SEQUENCE", given, "OWNED BY", f"{table}.{column}"),
        words(of_column, "SET DEFAULT", default),
    ]
    if aside != sequence:
        goes.append(words("ALTER SEQUENCE", given, "RENAME TO", quoted(aside)))
        comes.insert(0, words("ALTER SEQUENCE", old, "RENAME TO", quoted(sequence)))
    takes_over = words(
        f"SELECT setval({literal(new)}, before.last_value, true) FROM", old, "AS before,", new,
        "AS now WHERE before.is_called AND before.last_value >= now.last_value",
    )  # fmt: skip
    keeps = words(f"SELECT setval({literal(old)}, last_value, is_called) FROM", new)
    first = StatementOp(
        "alter_column",
        Way(tuple(goes), f"alter_column {where}: no default"),
        Way(tuple(comes), f"alter_column {where}: the default of its sequence"),
        table=change.table_name,
    )
    middle = altered(ChangeIdentityOp, change, "existing_type", "existing_nullable", "modify_server_default")
    middle.existing_server_default = None
    last = StatementOp(
        "alter_sequence",
        Way((takes_over, words("DROP SEQUENCE", old)), f"alter_sequence {name}: goes on where the old one stands"),
        Way((words("CREATE SEQUENCE", old, "AS", kind), keeps), f"create_sequence {aside}"),
        table=change.table_name,
    )
    change.modify_server_default = False
    return [first, middle, last, *([change] if _changes_more(change) else [])]


def _aside(name: str) -> str:
    """Name the old sequence while the new one takes its place."""
    return name.encode()[: NAME_BYTES - len(BEFORE)].decode(errors="ignore") + BEFORE


def _changes_more(change: Any) -> bool:
    return change.modify_type is not None or change.modify_nullable is not None or change.modify_comment is not False
