"""Foreign keys that stay while the key that they lean on is exchanged for another one over the same columns."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import UniqueConstraint

from stillroom.core.generation import Question
from stillroom.edges.alembic.completing.findings import findings_of, flatten, plain_name, shown
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.completing.values.attached import read_attached


def lift_references(context: Any, upgrade: Any, place: tuple[str | None, str, str], keys: tuple[Any, Any]) -> None:
    """Put them aside while the key that they lean on is exchanged; refuse where nothing is left to lean on.

    Args:
        context: Alembic's autogenerate context.
        upgrade: All operations.
        place: Schema, live name and later name of the table.
        keys: The columns of the key that goes, and the table as the models have it.
    """
    (schema, old_name, name), (old, model) = place, keys
    if context.connection is None:
        return
    uniques = [{plain_name(one.name) for one in each.columns} for each in _unique(model)]
    for each in read_attached(context.connection, {(schema, old_name, column) for column in old}):
        referred = {column for *_, column in each.referred}
        leans = (
            each.kind == "f" and {place[:2] for place in each.referred} == {(schema, old_name)} and referred == set(old)
        )
        if not leans or _goes(upgrade, each):
            continue
        if referred not in uniques:
            key = ", ".join(sorted(old))
            text = f"{shown(schema, name)} loses the key ({key}), to which {each.name} of {each.table} refers; change that foreign key as well"
            findings_of(context).questions.append(Question("convert", shown(schema, name), text, may_be_lost=False))
            continue
        what = f"{each.name} on {shown(each.schema, each.table)}"
        off, on = Way((each.drop,), f"drop_constraint {what}"), Way((each.create,), f"create_foreign_key {what}")
        upgrade.ops.insert(0, StatementOp("drop_constraint", off, on, table=each.table))
        upgrade.ops.append(StatementOp("create_foreign_key", on, off, table=each.table))


def _unique(model: Any) -> list[Any]:
    constraints = [each for each in model.constraints if isinstance(each, UniqueConstraint)]
    return [model.primary_key, *constraints, *(each for each in model.indexes if each.unique)]


def _goes(upgrade: Any, key: Any) -> bool:
    drops = [each for each in flatten(upgrade) if isinstance(each, ops.DropConstraintOp | ops.DropTableOp)]
    return any(
        each.table_name == key.table
        and (isinstance(each, ops.DropTableOp) or plain_name(each.constraint_name or "") == key.name)
        for each in drops
    )
