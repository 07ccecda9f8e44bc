"""An enum type that the models call otherwise: the same members in all its columns, so it is renamed and nothing is converted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alembic.operations import ops

from stillroom.core.enum_words import respell
from stillroom.edges.alembic.completing.enums.live import Live
from stillroom.edges.alembic.completing.findings import quoted
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.completing.places import changed_tables
from stillroom.edges.alembic.enums import is_enum

Types = dict[tuple[str | None, str], Live]


def rename_types(upgrade: Any, live: Types, wanted: Types | dict[Any, Any]) -> list[StatementOp]:
    """Turn conversions of every column of a type into one rename; `live` knows the type by its new name afterwards."""
    found: list[StatementOp] = []
    for key, old in list(live.items()):
        if key in wanted or key != (old.schema, old.name) or old.is_foreign:
            continue
        changes = [each for table in changed_tables(upgrade) for each in table.ops if _leaves(each, old)]
        targets = {(_kind(each.modify_type).schema, str(_kind(each.modify_type).name)) for each in changes}
        places = {(each.schema, each.table_name, each.column_name) for each in changes}
        if len(targets) != 1 or places != {(use.schema, use.table, use.column) for use in old.uses}:
            continue
        (target,) = targets
        members = tuple(str(each) for each in _kind(changes[0].modify_type).enums)
        if target in live or target[0] != old.schema or members != old.labels:
            continue
        for change in changes:
            change.modify_type = None
        found.append(_rename(old, target[1]))
        live[target] = _renamed(old, target[1])
        del live[key]
    for table in changed_tables(upgrade):
        table.ops[:] = [each for each in table.ops if not isinstance(each, ops.AlterColumnOp) or each.has_changes()]
    return found


def _renamed(old: Live, name: str) -> Live:
    """Know it by its new name, in the definitions as well."""
    new = quoted(old.schema, name)

    def word(text: str) -> str:
        return respell(text, old.spelled, new)

    return replace(
        old,
        name=name,
        spelled=new,
        uses=tuple(replace(each, default=each.default and word(each.default)) for each in old.uses),
        indexes=tuple((index, word(text)) for index, text in old.indexes),
        checks=tuple((table, check, word(text)) for table, check, text in old.checks),
    )


def _kind(item: Any) -> Any:
    return getattr(item, "item_type", item)


def _leaves(operation: Any, old: Live) -> bool:
    if not isinstance(operation, ops.AlterColumnOp) or operation.modify_type is None:
        return False
    before, after = _kind(operation.existing_type), _kind(operation.modify_type)
    return is_enum(before) and is_enum(after) and str(before.name) == old.name


def _rename(old: Live, new: str) -> StatementOp:
    up = Way((f"ALTER TYPE {old.quoted} RENAME TO {quoted(new)}",), f"rename_type {old.name} to {new}")
    down = Way(
        (f"ALTER TYPE {quoted(old.schema, new)} RENAME TO {quoted(old.name)}",), f"rename_type {new} to {old.name}"
    )
    return StatementOp("rename_type", up, down)
