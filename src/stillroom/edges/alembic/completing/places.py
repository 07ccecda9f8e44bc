"""Where the operations are: the tables that they change, and what the models have in their place."""

from __future__ import annotations

from typing import Any

from alembic.operations import ops


def changed_tables(upgrade: Any) -> list[Any]:
    """Find Alembic's containers of the operations on one table each."""
    return [each for each in upgrade.ops if isinstance(each, ops.ModifyTableOps)]


def table_key(schema: str | None, table: Any) -> str:
    """Name a table as SQLAlchemy's metadata does."""
    return f"{schema}.{table}" if schema else str(table)


def model_of(context: Any, schema: str | None, table: Any) -> Any:
    """Find a table of the models; None where they have none."""
    return context.table_key_to_table.get(table_key(schema, table))


def altered(kind: Any, change: Any, *facets: str) -> Any:
    """Make an operation of another kind on the same column.

    Args:
        kind: Alembic's `AlterColumnOp`, or one of ours.
        change: The operation that there is.
        facets: What it says is taken over, in the words of Alembic's arguments.
    """
    taken = {each: getattr(change, each) for each in facets}
    return kind(change.table_name, change.column_name, schema=change.schema, **taken)


def in_schema(schema: str | None) -> str:
    """Write the argument of a line in a file; nothing for the first schema of the search path."""
    return f", schema={schema!r}" if schema else ""
