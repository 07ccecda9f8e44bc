"""Tables that refer to one another: a foreign key to a table that is not there yet is made after it, and dropped before it goes.

Alembic leaves them inside of the tables, in the order that SQLAlchemy warns about, so that the revision fails.
"""

from __future__ import annotations

from typing import Any

from alembic.operations import ops
from sqlalchemy import ForeignKeyConstraint

from stillroom.edges.alembic.completing.places import table_key

WARNING = "Cannot correctly sort tables"


def break_cycles(_context: Any, upgrade: Any) -> None:
    """Make and drop tables in an order that works, and the foreign keys of a cycle apart from them."""
    _break_new(upgrade)
    _break_gone(upgrade)


def _break_new(upgrade: Any) -> None:
    todo = {key_of(each): each for each in upgrade.ops if isinstance(each, ops.CreateTableOp)}
    late: list[Any] = []
    last = None
    for key, create in list(todo.items()):
        last = create
        for constraint in foreign_keys(create):
            if constraint.use_alter or (target_of(constraint) in todo and target_of(constraint) != key):
                constraint_op = ops.CreateForeignKeyOp.from_constraint(constraint)
                constraint_op.kw.pop("use_alter", None)
                late.append(constraint_op)
                leave_out(create, constraint)
        del todo[key]
    if late:
        at = upgrade.ops.index(last) + 1
        upgrade.ops[at:at] = late


def _break_gone(upgrade: Any) -> None:
    places = [at for at, each in enumerate(upgrade.ops) if isinstance(each, ops.DropTableOp)]
    todo = {key_of(upgrade.ops[at]): upgrade.ops[at] for at in places}
    ordered: list[Any] = []
    early: list[Any] = []
    while todo:
        key = next((each for each in sorted(todo) if not _users(each, todo)), "")
        if not key:
            key = min(todo)
            for user, constraint in _users(key, todo):
                early.append(ops.DropConstraintOp.from_constraint(constraint))
                leave_out(user._reverse, constraint)
        ordered.append(todo.pop(key))
    for at, drop in zip(places, ordered, strict=True):
        upgrade.ops[at] = drop
    if early:
        upgrade.ops[places[0] : places[0]] = early


def _users(key: str, todo: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Find the other tables that refer to this one, each with its foreign key."""
    others = ((each, constraint) for each in todo.values() for constraint in foreign_keys(each._reverse))
    return [(each, constraint) for each, constraint in others if target_of(constraint) == key and key_of(each) != key]


def key_of(operation: Any) -> str:
    """Name the table of an operation as SQLAlchemy's metadata does."""
    return table_key(operation.schema, operation.table_name)


def foreign_keys(create: Any) -> list[Any]:
    """Find those that are made with the table."""
    return [each for each in create.columns if isinstance(each, ForeignKeyConstraint)]


def target_of(constraint: Any) -> str:
    """Name the table that a foreign key refers to, as `key_of` does."""
    return str(constraint.elements[0].target_fullname).rpartition(".")[0]


def leave_out(create: Any, constraint: Any) -> None:
    """Make the table without the constraint."""
    create.columns = [each for each in create.columns if each is not constraint]
