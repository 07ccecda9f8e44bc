"""A schema that is not there yet: the revision whose tables and types lie in it makes it."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops

from stillroom.edges.alembic.completing.findings import findings_of, flatten, quoted
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.enums import CreateEnumOp, DropEnumOp


def bring_schemas(context: Any, upgrade: Any) -> None:
    """Make the schemas first; the way back drops them last, and only when nothing else lies in them."""
    wanted = {str(each) for each in map(_schema_of, flatten(upgrade)) if each}
    missing = sorted(wanted.difference(context.inspector.get_schema_names())) if wanted else []
    for name in reversed(missing):
        findings_of(context).note(
            f"the schema {name} is not there: the role that migrates must be allowed to create it"
        )
        forward = Way((f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}",), f"create_schema {name}")
        upgrade.ops.insert(
            0, StatementOp("create_schema", forward, Way((f"DROP SCHEMA {quoted(name)}",), f"drop_schema {name}"))
        )


def _schema_of(operation: Any) -> Any:
    if isinstance(operation, ops.CreateTableOp):
        return operation.schema
    is_made = isinstance(operation, CreateEnumOp) and not isinstance(operation, DropEnumOp)
    return operation.item.schema if is_made else None
