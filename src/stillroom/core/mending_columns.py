"""The statement that makes a column what the history makes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stillroom.core.schema_objects import SchemaObject


def is_made_anew(here: SchemaObject, there: SchemaObject) -> bool:
    """Whether only dropping and adding it helps: how it is generated changes, and no statement takes that away."""
    before, after = here.facets, there.facets
    if not after["generated"]:
        return bool(before["generated"] == "v")
    return bool(before["generated"] != after["generated"] or before["default"] != after["default"])


def mend_column(here: SchemaObject, there: SchemaObject, facets: tuple[str, ...]) -> str:
    """Write one ALTER TABLE; the server does its parts in an order that works."""
    table, column = there.words["table"], there.words["column"]
    if is_made_anew(here, there):
        loses = "" if here.facets["generated"] else " -- loses rows"
        return f"ALTER TABLE {table} DROP COLUMN {column}, ADD COLUMN {there.words['clause']};{loses}"
    actions = [f"ALTER COLUMN {column} {action}" for action in _actions(here, there, set(facets))]
    statement = f"ALTER TABLE {table} {', '.join(actions)};"
    if there.facets["identity"] and not here.facets["identity"]:
        statement += f"\n{there.words['setval']}"
    return statement


def _actions(here: SchemaObject, there: SchemaObject, facets: set[str]) -> Iterator[str]:
    before, after = here.facets, there.facets
    changes_type = bool({"type", "collation"} & facets)
    if "generated" in facets:
        yield "DROP EXPRESSION"
    if before["identity"] and not after["identity"]:
        yield "DROP IDENTITY"
    has_default = before["default"] is not None and not before["generated"]
    if has_default and (changes_type or after["default"] is None):
        yield "DROP DEFAULT"
    if changes_type:
        yield _type_action(here, there)
    if "not null" in facets:
        yield f"{'SET' if after['not null'] else 'DROP'} NOT NULL"
    if (
        after["default"] is not None
        and not after["generated"]
        and ("default" in facets or (has_default and changes_type))
    ):
        yield f"SET DEFAULT {after['default']}"
    if "identity" in facets and after["identity"]:
        yield (
            f"SET GENERATED {after['identity']}"
            if before["identity"]
            else f"ADD GENERATED {after['identity']} AS IDENTITY"
        )


def _type_action(here: SchemaObject, there: SchemaObject) -> str:
    column, kind = there.words["column"], there.facets["type"]
    collation = f" COLLATE {there.facets['collation']}" if there.facets["collation"] else ""
    if there.facets["generated"]:
        return f"TYPE {kind}{collation}"
    # No cast leads from one enum to another, but through text.
    through = "::text" if here.words["is_enum"] and there.words["is_enum"] else ""
    # Without the length: a written cast would cut what is too long, the server's own refuses it.
    return f"TYPE {kind}{collation} USING {column}{through}::{there.words['bare type']}"
