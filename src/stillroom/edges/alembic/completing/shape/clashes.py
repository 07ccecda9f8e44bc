"""Two enum types of the models under one name: the server has one type of a name, so that one of them would never be right."""

from __future__ import annotations

from typing import Any

from alembic.util import PriorityDispatchResult

from stillroom.edges.alembic.completing.findings import shown
from stillroom.edges.alembic.enums import is_enum
from stillroom.edges.alembic.hooks import tables_of
from stillroom.errors import RefusedError

Place = tuple[str | None, str]
MOST = 8


def refuse_clashes(context: Any, _upgrade: Any, _schemas: Any) -> PriorityDispatchResult:
    """Be Alembic's comparator of schemas that comes before all others.

    Raises:
        RefusedError: Two columns name one enum type and mean other members.
    """
    found: dict[Place, dict[frozenset[str], str]] = {}
    for table in tables_of(context.metadata):
        for column in table.columns:
            item = getattr(column.type, "item_type", column.type)
            if is_enum(item):
                members = frozenset(map(str, item.enums))
                where = f"{_class_of(item)} in {shown(table.schema, table.name, column.name)}"
                found.setdefault((item.schema, str(item.name)), {}).setdefault(members, f"{where} ({_listed(item)})")
    for (schema, name), kinds in found.items():
        if len(kinds) > 1:
            raise RefusedError(
                f"{len(kinds)} enum types of the models are called {shown(schema, name)}: {', '.join(kinds.values())}; nothing was written",
                hint=f'give all but one a name of its own, for instance `sa_type=Enum(…, name="{name}_of_…")`, or make them one class',
            )
    return PriorityDispatchResult.CONTINUE


def _class_of(item: Any) -> str:
    made_of = getattr(item, "enum_class", None)
    return f"{made_of.__module__}.{made_of.__qualname__}" if made_of is not None else "Enum"


def _listed(item: Any) -> str:
    members = [str(each) for each in item.enums]
    return ", ".join([*members[:MOST], *(["…"] if len(members) > MOST else [])])
