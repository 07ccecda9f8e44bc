"""What has no online form: it keeps the plain one, and the review says what that locks."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import findings_of, flatten, plain_name, shown

_PARTITIONED = """
select n.nspname::text, c.relname::text, n.nspname = pg_catalog.current_schema() from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind = 'p'
"""
HAS_PARTITIONED_NOT_VALID = 18
Place = tuple[str | None, str]


def keep_plain(context: Any, tables: list[Any], upgrade: Any) -> list[Any]:
    """Pick the operations that keep their plain form, and note why.

    Source: PostgreSQL documentation, "CREATE INDEX" and "ALTER TABLE": no CONCURRENTLY and no USING INDEX for partitioned
    tables, and before 18 no NOT VALID for their foreign keys.
    """
    kinds = ops.CreateIndexOp | ops.DropIndexOp | ops.CreateUniqueConstraintOp | ops.CreateForeignKeyOp
    found = [each for table in tables for each in table.ops if isinstance(each, kinds)]
    if not found:
        return []
    partitioned = _read_partitioned(context.connection)
    version = context.connection.dialect.server_version_info
    referred = _referred(upgrade)
    plain = []
    for each in found:
        why = _why(each, partitioned, referred, has_not_valid=version >= (HAS_PARTITIONED_NOT_VALID,))
        if why:
            findings_of(context).note(why)
            plain.append(each)
    return plain


def _read_partitioned(connection: Any) -> set[Place]:
    rows = connection.exec_driver_sql(_PARTITIONED).all()
    return {(None if near else schema, name) for schema, name, near in rows} | {(row[0], row[1]) for row in rows}


def _referred(upgrade: Any) -> set[Place]:
    """The tables that new foreign keys refer to."""
    found: set[Place] = set()
    for each in flatten(upgrade):
        if isinstance(each, ops.CreateForeignKeyOp):
            found.add((each.kw.get("referent_schema"), str(each.referent_table)))
        elif isinstance(each, ops.CreateTableOp):
            targets = [key.target_fullname.split(".") for key in _foreign_keys(each)]
            found |= {(".".join(target[:-2]) or None, target[-2]) for target in targets}
    return found


def _foreign_keys(create: Any) -> list[Any]:
    return [
        key
        for item in create.columns
        for key in [*(getattr(item, "foreign_keys", None) or ()), *(getattr(item, "elements", None) or ())]
        if hasattr(key, "target_fullname")
    ]


def _why(operation: Any, partitioned: set[Place], referred: set[Place], *, has_not_valid: bool) -> str:
    """Say why an operation keeps its plain form; nothing where it does not."""
    if isinstance(operation, ops.CreateForeignKeyOp):
        schema, table = operation.kw.get("source_schema"), str(operation.source_table)
        if (schema, table) not in partitioned or has_not_valid:
            return ""
        return (
            f"{shown(schema, table)} is partitioned, so {plain_name(operation.constraint_name)} is made in the plain form: "
            "writes to both tables wait until all rows are looked at"
        )
    place = (operation.schema, str(operation.table_name))
    is_constraint = isinstance(operation, ops.CreateUniqueConstraintOp)
    name = plain_name(operation.constraint_name if is_constraint else operation.index_name)
    if place in partitioned:
        if isinstance(operation, ops.DropIndexOp):
            return (
                f"{shown(*place)} is partitioned, so {name} is dropped in the plain form: reads and writes wait for it"
            )
        waits = "reads and writes" if is_constraint else "writes"
        return (
            f"{shown(*place)} is partitioned, so {name} is made in the plain form: "
            f"{waits} of all its partitions wait until it is built"
        )
    if is_constraint and place in referred:
        return f"a new foreign key refers to {shown(*place)}, so {name} is made in the plain form: reads and writes wait for it"
    if is_constraint and any(each for each in operation.kw.values()):
        return f"{name} has options, so it is made in the plain form: reads and writes of {shown(*place)} wait for it"
    return ""
