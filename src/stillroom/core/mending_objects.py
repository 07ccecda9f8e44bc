"""The statements that make an object what the history makes it, by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.core.mending_columns import is_made_anew, mend_column

if TYPE_CHECKING:
    from stillroom.core.drift import Change, Drift
    from stillroom.core.schema_objects import Key, Schema, SchemaObject


def change_object(drift: Drift, change: Change, *, was_gone: bool) -> str:
    """Write the statements that change one object.

    Args:
        drift: What the object is and should be.
        change: What of it differs.
        was_gone: An earlier statement dropped it, because it stood in the way.
    """
    here, there = drift.live.objects[change.key], drift.history.objects[change.key]
    if was_gone:
        return drift.remake(change.key)
    types = here.facets.get("type"), there.facets.get("type")
    if there.kind == "column" and types in drift.uncastable and not is_made_anew(here, there):
        return f"-- no cast leads from {types[0]} to {types[1]}: write what becomes of the values\n-- {mend_column(here, there, change.facets)}"
    in_place = IN_PLACE.get(there.kind)
    if in_place is not None:
        return in_place(here, there, change.facets)
    if there.kind == "composite type" and _is_in_a_table(drift.live, change.key):
        return f"-- no statement changes a type that tables have: make {there.name} anew, and its columns"
    if not is_replaceable(here, there, change.facets):
        return f"{here.drop}\n{drift.remake(change.key)}"
    if there.kind == "view":
        return there.create.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)
    return str(there.words.get("instead", there.create))


def is_replaceable(here: SchemaObject, there: SchemaObject, facets: tuple[str, ...]) -> bool:
    """Whether an object that is not changed bit by bit can at least stay where it is."""
    match there.kind:
        case "view":
            before, after = here.words["columns"] or [], there.words["columns"] or []
            return bool(after[: len(before)] == before)
        case "function" | "procedure":
            return bool(here.words["signature"] == there.words["signature"])
        case "constraint":
            return facets == ("is validated",) and bool(there.facets["is validated"])
        case "trigger":
            return facets == ("state",)
    return False


def _is_in_a_table(schema: Schema, key: Key) -> bool:
    return any(each.kind == "column" and key in each.uses for each in schema.objects.values())


def _mend_table(_: SchemaObject, there: SchemaObject, facets: tuple[str, ...]) -> str:
    actions = []
    if "unlogged" in facets:
        actions.append(f"ALTER TABLE {there.name} SET {'UNLOGGED' if there.facets['unlogged'] else 'LOGGED'};")
    if "row security" in facets:
        actions.append(
            f"ALTER TABLE {there.name} {'ENABLE' if there.facets['row security'] else 'DISABLE'} ROW LEVEL SECURITY;"
        )
    if "forced row security" in facets:
        actions.append(
            f"ALTER TABLE {there.name} {'' if there.facets['forced row security'] else 'NO '}FORCE ROW LEVEL SECURITY;"
        )
    if {"partition key", "parents"} & set(facets):
        actions.append(f"-- no statement changes that: make {there.name} anew and copy its rows")
    return "\n".join(actions)


def _mend_domain(_: SchemaObject, there: SchemaObject, facets: tuple[str, ...]) -> str:
    actions = []
    if "default" in facets:
        default = there.facets["default"]
        actions.append(f"ALTER DOMAIN {there.name} {'DROP DEFAULT' if default is None else f'SET DEFAULT {default}'};")
    if "not null" in facets:
        actions.append(f"ALTER DOMAIN {there.name} {'SET' if there.facets['not null'] else 'DROP'} NOT NULL;")
    if "type" in facets:
        actions.append(f"-- no statement changes the type of a domain: make {there.name} anew, and its columns")
    return "\n".join(actions)


def _mend_sequence(_: SchemaObject, there: SchemaObject, __: tuple[str, ...]) -> str:
    return f"ALTER SEQUENCE {there.name} {there.words['options']};"


def _say_again(_: SchemaObject, there: SchemaObject, __: tuple[str, ...]) -> str:
    return there.create


IN_PLACE = {
    "column": mend_column,
    "table": _mend_table,
    "domain": _mend_domain,
    "sequence": _mend_sequence,
    "sequence owner": _say_again,
    "comment": _say_again,
}
