"""What stands in the way of a conversion: it goes before, and is made anew after, as the models have it; both ways.

Source: PostgreSQL documentation, "ALTER TABLE": indexes and constraints of a column are made anew with their old text, which
means something else for the new type, or nothing; a foreign key needs types that can be compared.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import CheckConstraint

from stillroom.core.casts import are_comparable, base_of
from stillroom.core.constraint_names import ConstraintNames
from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import ddl_of, findings_of, flatten, plain_name, shown
from stillroom.edges.alembic.completing.operations import RetypeColumnOp, StatementOp, Way, live_names
from stillroom.edges.alembic.completing.places import model_of
from stillroom.edges.alembic.completing.rendering import using_of
from stillroom.edges.alembic.completing.shape.naming import name_unnamed
from stillroom.edges.alembic.completing.values.attached import Attached, Column, read_attached
from stillroom.edges.alembic.enums import is_enum

KINDS = {"index": "index", "c": "CHECK constraint"}
KEPT = ("VARCHAR", "CHARACTER VARYING")
"""Types over which a CHECK is kept as text of `column::text`, which every other type has, too."""


def set_aside(context: Any, upgrade: Any) -> None:
    """Drop indexes, CHECK constraints and foreign keys over columns that are converted, and make them anew."""
    changes = {_place(upgrade, each): each for each in flatten(upgrade) if _is_conversion(each)}
    if not changes:
        return
    before, after = [], []
    for each in read_attached(context.connection, changes):
        touched = [changes[place] for place in sorted(each.places & set(changes), key=str) if _is_in_way(each, place)]
        if not touched:
            continue
        own, mine = _own_table(each, changes, context)
        gone, made = take(upgrade, each, own)
        if made is None and not gone:
            made = mine
        if made is None and not gone:
            if not _keeps_standing(each, touched):
                findings_of(context).questions.append(_refusal(each, touched[0]))
            continue
        what = "index" if each.kind == "index" else "constraint"
        name = f"{each.name} on {shown(each.schema, each.table)}"
        before.append(
            StatementOp(
                f"drop_{what}",
                Way((each.drop,), f"drop_{what} {name}, which stands in the way of a conversion"),
                Way((each.create,), f"create_{what} {name}"),
                table=each.table,
            )
        )
        after += [made] if made is not None else []
    upgrade.ops[:] = [*before, *upgrade.ops, *after]
    upgrade.ops[:] = [each for each in upgrade.ops if not isinstance(each, ops.ModifyTableOps) or each.ops]


def _is_conversion(operation: Any) -> bool:
    if not isinstance(operation, RetypeColumnOp):
        return False
    old, new = operation.existing_type, operation.modify_type
    return bool(using_of(operation)) or is_enum(old) or is_enum(new) or not are_comparable(ddl_of(old), ddl_of(new))


def _place(upgrade: Any, operation: Any) -> Column:
    table, column = live_names(upgrade, operation)
    return (operation.schema, table, column)


def _is_in_way(each: Attached, place: Column) -> bool:
    return each.kind in {"f", "c"} or (each.kind == "index" and each.computes_with(place[2]))


def _own_table(each: Attached, changes: dict[Column, Any], context: Any) -> tuple[str, Any]:
    """Find the name of its table afterwards, and what the models have in its place."""
    near = [change for place, change in changes.items() if place[:2] == (each.schema, each.table)]
    name = str(near[0].table_name) if near else each.table
    table = model_of(context, each.schema, name)
    return name, None if table is None else _modelled(table, each, changes)


def _modelled(table: Any, each: Attached, changes: dict[Column, Any]) -> Any:
    if each.kind == "index":
        found = [index for index in table.indexes if plain_name(index.name or "") == each.name]
        return ops.CreateIndexOp.from_index(found[0]) if found else None
    if each.kind == "c":
        named = [(one, plain_name(one.name)) for one in table.constraints if isinstance(one.name, str)]
        named += [(one, name or "") for one, name in name_unnamed(table, ConstraintNames())]
        checks = [one for one, name in named if name == each.name and isinstance(one, CheckConstraint)]
        if not checks:
            return None
        return ops.CreateCheckConstraintOp(each.name, table.name, checks[0].sqltext, schema=table.schema)
    wanted = [
        str(changes[each.schema, each.table, name].column_name) if (each.schema, each.table, name) in changes else name
        for name in each.columns
    ]
    keys = [one for one in table.foreign_key_constraints if list(one.column_keys) == wanted]
    if not keys:
        return None
    made: Any = ops.CreateForeignKeyOp.from_constraint(keys[0])
    made.constraint_name = each.name
    return made


def take(upgrade: Any, each: Attached, table: str) -> tuple[bool, Any]:
    """Take operations over the same thing out.

    Args:
        upgrade: All operations.
        each: What the database has.
        table: The name of its table afterwards.

    Returns:
        Whether it goes anyway, and the operation that makes what comes in its place.
    """
    is_gone, made = False, None
    for container in [upgrade, *(one for one in upgrade.ops if isinstance(one, ops.ModifyTableOps))]:
        for operation in list(container.ops):
            name = getattr(operation, "index_name", None) or getattr(operation, "constraint_name", None)
            place = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
            if name is None or plain_name(name) != each.name or str(place) not in {table, each.table}:
                continue
            if isinstance(operation, ops.DropIndexOp | ops.DropConstraintOp):
                is_gone = True
                container.ops.remove(operation)
            elif isinstance(operation, ops.CreateIndexOp | ops.CreateCheckConstraintOp | ops.CreateForeignKeyOp):
                made = operation
                container.ops.remove(operation)
    return is_gone, made


def _keeps_standing(each: Attached, touched: list[Any]) -> bool:
    """Say whether the server can do it by itself, or says best why not."""
    return each.kind == "f" or (
        each.kind == "c" and all(base_of(ddl_of(change.existing_type)) in KEPT for change in touched)
    )


def _refusal(each: Attached, change: Any) -> Question:
    subject = shown(change.schema, change.table_name, change.column_name)
    text = (
        f"{subject}: {KINDS[each.kind]} {each.name} names it, and the models have none of that name that could be made anew "
        f"for {ddl_of(change.modify_type)}; drop it in a revision of its own first"
    )
    return Question("convert", subject, text, may_be_lost=False)
