"""The whole of the schemas read at once: Alembic does so for the first of them, and asks table by table in the others.

Source: Alembic 1.20.1, `autogenerate/compare/util.py`: `pre_cache_tables` leaves what is cached already as it is.
"""

from __future__ import annotations

from typing import Any

from alembic.util import PriorityDispatchResult

PARTS = (
    "columns",
    "pk_constraint",
    "foreign_keys",
    "indexes",
    "unique_constraints",
    "table_comment",
    "check_constraints",
    "table_options",
)
"""What a comparison needs of a table, in SQLAlchemy's words; Alembic keeps each in the inspector's cache, or there that it is not to be had."""
MANY = 100
"""Names that are worth sending with a question; where there are more, and they are most tables, all are read."""


def read_at_once(context: Any, _upgrade: Any, schemas: Any) -> PriorityDispatchResult:
    """Be Alembic's comparator of schemas that runs before it looks at tables."""
    inspector = context.inspector
    cache = inspector.info_cache
    for schema in sorted(schemas, key=lambda each: each or ""):
        there = set(inspector.get_table_names(schema=schema))
        if schema == context.migration_context.version_table_schema:
            there.discard(context.migration_context.version_table)
        names = [each for each in sorted(there) if context.run_name_filters(each, "table", {"schema_name": schema})]
        if not names:
            continue
        wanted = None if len(names) > MANY and 2 * len(names) > len(there) else names
        for part in PARTS:
            try:
                found = getattr(inspector, f"get_multi_{part}")(schema=schema, filter_names=wanted)
            except NotImplementedError:  # table options, which SQLAlchemy 2.0 does not read
                cache[f"alembic_{part}"] = NotImplementedError
            else:
                cache.setdefault(f"alembic_{part}", {}).update(found)
    return PriorityDispatchResult.CONTINUE
