"""A column that gets another type: the conversion it needs, and a look whether every live value goes through it."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.core.casts import ZONE, base_of, needs_zone
from stillroom.edges.alembic.completing.findings import Findings, ddl_of, findings_of, flatten, shown
from stillroom.edges.alembic.completing.operations import RetypeColumnOp, live_names
from stillroom.edges.alembic.completing.places import altered, changed_tables, model_of
from stillroom.edges.alembic.completing.rendering import using_of
from stillroom.edges.alembic.completing.values.convertible import look


def settle_types(context: Any, upgrade: Any) -> None:
    """Give each change of type its conversion, both ways, and take a default out of its way."""
    for table in changed_tables(upgrade):
        for change in [each for each in table.ops if _is_retyping(each)]:
            at = table.ops.index(change)
            table.ops[at : at + 1] = _split(change, _model_default(context, change))
            _note_zone(findings_of(context), change)
    new = {_place(each) for each in flatten(upgrade) if isinstance(each, ops.AddColumnOp)}
    for change in flatten(upgrade):
        if isinstance(change, RetypeColumnOp) and _place(change) not in new:
            look(context.connection, findings_of(context), change, live_names(upgrade, change))


def _is_retyping(operation: Any) -> bool:
    return isinstance(operation, ops.AlterColumnOp) and operation.modify_type is not None


def _place(operation: Any) -> tuple[Any, ...]:
    name = getattr(operation, "column_name", None) or operation.column.name
    return (operation.schema, operation.table_name, name)


def _split(change: Any, model_default: Any) -> list[Any]:
    """The default first goes, because it is not converted with the values, and comes back as the models have it."""
    both = ("type", "nullable", "comment")
    retype = altered(RetypeColumnOp, change, *(f"{verb}_{each}" for verb in ("existing", "modify") for each in both))
    before, after = change.existing_server_default, change.modify_server_default
    if after is False:
        after = model_default
    if not _converts(change) or not (before or after):
        retype.existing_server_default = before
        retype.modify_server_default = change.modify_server_default
        if change.modify_server_default is False:
            return [retype]
        retype.modify_server_default = False
    parts: list[Any] = [retype]
    if before:
        parts.insert(0, _default(change, before, None, change.existing_type))
    if after:
        parts.append(_default(change, None, after, change.modify_type))
    return parts


def _default(change: Any, before: Any, after: Any, kind: Any) -> Any:
    return ops.AlterColumnOp(
        change.table_name,
        change.column_name,
        schema=change.schema,
        existing_type=kind,
        existing_server_default=before,
        modify_server_default=after,
    )


def _converts(change: Any) -> bool:
    return bool(using_of(change)) or base_of(ddl_of(change.existing_type)) != base_of(ddl_of(change.modify_type))


def _model_default(context: Any, change: Any) -> Any:
    table = model_of(context, change.schema, change.table_name)
    column = None if table is None else table.columns.get(change.column_name)
    # An identity is no value that would have to be converted: it stays.
    return None if column is None or column.identity is not None else column.server_default


def _note_zone(findings: Findings, change: Any) -> None:
    if needs_zone(ddl_of(change.existing_type), ddl_of(change.modify_type)):
        subject = shown(change.schema, change.table_name, change.column_name)
        findings.note(
            f"{subject}: the values are taken for times in {ZONE}, both ways; edit the file if they are of another zone"
        )
