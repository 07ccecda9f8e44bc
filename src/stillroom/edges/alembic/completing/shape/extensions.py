"""A type that comes with an extension which is not in the database yet: the revision that needs it makes it."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy.types import UserDefinedType

from stillroom.edges.alembic.completing.findings import ddl_of, findings_of, flatten, quoted
from stillroom.edges.alembic.completing.operations import StatementOp, Way

_MISSING = """
select x.name::text from pg_catalog.pg_available_extensions x
where x.installed_version is null and x.name::text = any(%s::text[]) and pg_catalog.to_regtype(x.name::text) is null order by 1
"""


def bring_extensions(context: Any, upgrade: Any) -> None:
    """Make the extensions that new columns need, where the type has the extension's name (citext, ltree, hstore, vector)."""
    names = {
        ddl_of(each).partition("(")[0].strip().lower() for each in _types(upgrade) if isinstance(each, UserDefinedType)
    }
    if not names:
        return
    with context.connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(_MISSING, (sorted(names),))
        missing = [name for (name,) in cursor.fetchall()]
    for name in missing:
        findings_of(context).note(
            f"the type {name} comes with an extension, which the role that migrates must be allowed to create"
        )
        forward = Way((f"CREATE EXTENSION IF NOT EXISTS {quoted(name)}",), f"create_extension {name}")
        upgrade.ops.insert(0, StatementOp("create_extension", forward, Way((), "nothing")))


def _types(upgrade: Any) -> list[Any]:
    columns: list[Any] = []
    for operation in flatten(upgrade):
        if isinstance(operation, ops.CreateTableOp):
            columns += [each for each in operation.columns if hasattr(each, "type")]
        elif isinstance(operation, ops.AddColumnOp):
            columns.append(operation.column)
    kinds = [each.type for each in columns]
    return [getattr(each, "item_type", each) for each in kinds]
