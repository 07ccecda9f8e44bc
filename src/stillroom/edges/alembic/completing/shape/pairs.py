"""Indexes and constraints of what was renamed: the same ones, so they keep standing, under a new name where the models have one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from alembic.operations import ops
from sqlalchemy import ClauseElement

from stillroom.edges.alembic.completing.findings import quoted
from stillroom.edges.alembic.completing.operations import RenameColumnOp, RenameTableOp, StatementOp, Way
from stillroom.edges.alembic.completing.places import changed_tables
from stillroom.edges.alembic.completing.texts import sql_of
from stillroom.edges.alembic.completing.values.defaults import plain

Place = tuple[str | None, str]


@dataclass
class Names:
    """What was renamed: tables by schema and name, columns by schema, new table name and name."""

    tables: dict[Place, str] = field(default_factory=dict)
    columns: dict[tuple[str | None, str, str], str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)

    def table(self, schema: str | None, name: str) -> str:
        """Name a table as it is called afterwards."""
        return self.tables.get((schema, name), str(name))

    def column(self, schema: str | None, table: str, name: str) -> str:
        """Name a column as it is called afterwards; the table by its new name."""
        return self.columns.get((schema, table, str(name)), str(name))


def join_pairs(upgrade: Any, names: Names) -> None:
    """Leave out drops and adds that are the same thing, or rename it; put what still has to go before the renames."""
    tables = changed_tables(upgrade)
    for table in tables:
        _join(table, names)
    early = []
    for table in tables:
        gone = [each for each in table.ops if isinstance(each, ops.DropIndexOp | ops.DropConstraintOp)]
        table.ops[:] = [each for each in table.ops if each not in gone]
        early += [_under_old_name(each, names) for each in gone]
    renames = [each for each in upgrade.ops if isinstance(each, RenameTableOp)]
    columns: list[Any] = []
    for table in tables:
        mine = [each for each in table.ops if isinstance(each, RenameColumnOp)]
        table.ops[:] = [each for each in table.ops if each not in mine]
        columns += mine
    rest = [each for each in upgrade.ops if each not in renames and not _is_empty(each)]
    upgrade.ops[:] = [*early, *renames, *columns, *rest]


def _is_empty(operation: Any) -> bool:
    return isinstance(operation, ops.ModifyTableOps) and operation.is_empty()


def _under_old_name(operation: Any, names: Names) -> Any:
    """What goes before the rename is addressed by the table's old name."""
    for (schema, old), new in names.tables.items():
        if operation.schema == schema and operation.table_name == new:
            operation.table_name = old
            back = operation._reverse
            for name in ("table_name", "source_table"):
                if back is not None and getattr(back, name, None) == new:
                    setattr(back, name, old)
    return operation


def _join(table: Any, names: Names) -> None:
    for drop in [each for each in table.ops if isinstance(each, ops.DropIndexOp | ops.DropConstraintOp)]:
        before = _shape(_made_by(drop), names)
        same = [each for each in table.ops if before and _shape(each, Names()) == before]
        if not same:
            continue
        old, new = _name(drop), _name(same[0])
        table.ops.remove(drop)
        at = table.ops.index(same[0])
        table.ops[at : at + 1] = [_renamed(table, drop, old, new)] if new and old != new else []


def _made_by(drop: Any) -> Any:
    return drop._reverse


def _name(operation: Any) -> str | None:
    found = operation.index_name if hasattr(operation, "index_name") else operation.constraint_name
    return None if found is None else str.__str__(found)


def _shape(operation: Any, names: Names) -> tuple[Any, ...]:
    """Put what makes an index or a constraint the same one into a value, in the names of afterwards."""
    if isinstance(operation, ops.CreateIndexOp):
        table = names.table(operation.schema, operation.table_name)
        columns = tuple(
            names.column(operation.schema, table, getattr(each, "name", None) or str(each))
            for each in operation.columns
        )
        options = sorted(
            (key, _worded(value)) for key, value in operation.kw.items() if value is not None and value is not False
        )
        return ("index", bool(operation.unique), columns, tuple(options))
    if isinstance(operation, ops.CreateUniqueConstraintOp):
        table = names.table(operation.schema, operation.table_name)
        return ("unique", tuple(names.column(operation.schema, table, each) for each in operation.columns))
    if isinstance(operation, ops.CreateForeignKeyOp):
        own = operation.kw.get("source_schema")
        table = names.table(own, operation.source_table)
        there = operation.kw.get("referent_schema")
        other = names.table(there, operation.referent_table)
        rules = tuple(operation.kw.get(each) or None for each in ("ondelete", "onupdate", "deferrable", "initially"))
        mine = tuple(names.column(own, table, each) for each in operation.local_cols)
        theirs = tuple(names.column(there, other, each) for each in operation.remote_cols)
        return ("foreign key", mine, there, other, theirs, rules)
    return ()


def _worded(value: Any) -> str:
    """Write an option; a condition without the brackets and casts that only the server puts in."""
    return plain(sql_of(value)) if isinstance(value, ClauseElement) else str(value)


def _renamed(table: Any, drop: Any, old: str | None, new: str) -> StatementOp:
    assert old is not None, "what is in the database has a name"
    is_index = isinstance(drop, ops.DropIndexOp)
    place = quoted(table.schema, table.table_name)

    def way(one: str, other: str) -> Way:
        head = (
            f"ALTER INDEX {quoted(table.schema, one)} RENAME TO"
            if is_index
            else f"ALTER TABLE {place} RENAME CONSTRAINT {quoted(one)} TO"
        )
        what = "index" if is_index else "constraint"
        return Way((f"{head} {quoted(other)}",), f"rename_{what} {one} to {other}")

    kind = "rename_index" if is_index else "rename_constraint"
    return StatementOp(kind, way(old, new), way(new, old), table=table.table_name)
