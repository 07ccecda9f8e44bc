"""A domain that a column of a table that is there gets: made before it, where the database does not have it yet.

With a new table SQLAlchemy makes it; a column that is added or changed fires no such event.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.dialects.postgresql.named_types import CreateDomainType

from stillroom.edges.alembic.completing.findings import flatten, quoted
from stillroom.edges.alembic.completing.operations import StatementOp, Way
from stillroom.edges.alembic.completing.texts import dialect


def bring_domains(context: Any, upgrade: Any) -> None:
    """Make the domains that are missing, and drop them on the way back."""
    new = {_name(each) for each in _domains(upgrade, is_table=True)}
    missing = {_name(each): each for each in _domains(upgrade, is_table=False) if _name(each) not in new}
    if context.connection is None or not missing:
        return
    with context.connection.connection.dbapi_connection.cursor() as cursor:
        cursor.execute(
            "select name from pg_catalog.unnest(%s::text[]) as names (name) where pg_catalog.to_regtype(name) is null order by 1",
            (sorted(missing),),
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        make: Any = CreateDomainType
        forward = Way((" ".join(str(make(missing[name]).compile(dialect=dialect())).split()),), f"create_domain {name}")
        upgrade.ops.insert(
            0, StatementOp("create_domain", forward, Way((f"DROP DOMAIN {name}",), f"drop_domain {name}"))
        )


def _domains(upgrade: Any, *, is_table: bool) -> list[Any]:
    kinds: list[Any] = []
    for each in flatten(upgrade):
        if isinstance(each, ops.CreateTableOp) and is_table:
            kinds += [getattr(column, "type", None) for column in each.columns]
        elif isinstance(each, ops.AddColumnOp) and not is_table:
            kinds.append(each.column.type)
        elif isinstance(each, ops.AlterColumnOp) and not is_table:
            kinds.append(each.modify_type)
    inner = [getattr(each, "item_type", each) for each in kinds]
    return [each for each in inner if isinstance(each, DOMAIN)]


def _name(domain: Any) -> str:
    return quoted(domain.schema, str(domain.name))
