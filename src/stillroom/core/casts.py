"""How values get from one type to another: what stands behind USING.

Source: PostgreSQL documentation, "ALTER TABLE": without USING the conversion must be an assignment cast; `pg_cast` of 14 to 18.
"""

from __future__ import annotations

import re

TEXTS = ("TEXT", "VARCHAR", "CHAR", "CITEXT", "CHARACTER", "CHARACTER VARYING", "BPCHAR", "NAME")
NUMBERS = ("SMALLINT", "INTEGER", "BIGINT", "NUMERIC", "DECIMAL", "REAL", "FLOAT", "DOUBLE PRECISION")
MOMENTS = ("DATE", "TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP WITH TIME ZONE")
CLOCKS = ("TIME WITHOUT TIME ZONE", "TIME WITH TIME ZONE")
JSONS, BITS = ("JSON", "JSONB"), ("BIT", "BIT VARYING")
FAMILIES = (TEXTS, NUMBERS, MOMENTS, CLOCKS, JSONS, BITS)
ZONE = "UTC"
HAS_ZONE = r":\d\d(\.\d+)?\s*([A-Za-z][A-Za-z/_]*|[+-]\d\d(:?\d\d)?)$"
"""A text with a time that ends with a zone or an offset of its own."""
WHOLE = ("SMALLINT", "INTEGER", "BIGINT")
WIDENING = {
    *((one, other) for at, one in enumerate(WHOLE) for other in (*WHOLE[at + 1 :], "NUMERIC", "DECIMAL")),
    *(("SMALLINT", each) for each in ("REAL", "DOUBLE PRECISION")),
    *((each, "DOUBLE PRECISION") for each in ("INTEGER", "REAL")),
}


def base_of(ddl: str) -> str:
    """Take length, precision and array brackets off a type: "VARCHAR(20)[]" is VARCHAR; quoted names stay as they are."""
    bare = ddl.removesuffix("[]")
    return bare if '"' in bare else re.sub(r"\s*\([^)]*\)", "", bare).upper()


def find_using(column: str, old: str, new: str, *, old_is_enum: bool = False, new_is_enum: bool = False) -> str:
    """Write the conversion of a column, or nothing where the server converts by itself.

    Args:
        column: The column's name, quoted where it must be.
        old: The type it has, as DDL.
        new: The type it gets, as DDL.
        old_is_enum: The old type is an enum.
        new_is_enum: The new type is an enum.
    """
    if old.endswith("[]") != new.endswith("[]"):
        return f"ARRAY[{column}]::{new}" if new.endswith("[]") else f"{column}::text::{new}"
    one, other = base_of(old), base_of(new)
    if old_is_enum or new_is_enum:
        return "" if other in TEXTS else f"{column}::text{_brackets(old)}::{new}"
    if old.endswith("[]") and needs_zone(old, new):
        return ""
    if needs_zone(old, new):
        return _zone(column, one, other)
    if one == other or other in TEXTS or _same_family(one, other):
        return ""
    return _between_families(column, (one, other), new)


def are_comparable(old: str, new: str) -> bool:
    """Say whether an expression over one type means the same over the other: numbers, texts, or the same type.

    Args:
        old: A type, as DDL.
        new: Another one.
    """
    one, other = base_of(old), base_of(new)
    same = one == other or any(one in family and other in family for family in (NUMBERS, TEXTS))
    return same and old.endswith("[]") == new.endswith("[]")


def _zone(column: str, one: str, other: str) -> str:
    """Take times without a zone for those of one: the server would take the session's, which is another one elsewhere."""
    date, plain, zoned = MOMENTS
    if one in TEXTS and other == zoned:
        own = f"{column} ~ '{HAS_ZONE}' THEN {column}::timestamptz"
        return f"CASE WHEN {own} ELSE {column}::timestamp AT TIME ZONE '{ZONE}' END"
    if one == zoned and other in TEXTS:
        return f"({column} AT TIME ZONE '{ZONE}')::text || '+00'"
    if (one, other) == CLOCKS:
        return f"({column}::text || '+00')::time with time zone"
    if {one, other} == {plain, zoned}:
        return f"{column} AT TIME ZONE '{ZONE}'"
    if (one, other) == (date, zoned):
        return f"{column}::timestamp AT TIME ZONE '{ZONE}'"
    return f"({column} AT TIME ZONE '{ZONE}')::date" if (one, other) == (zoned, date) else ""


def needs_zone(old: str, new: str) -> bool:
    """Say whether a conversion depends on a time zone."""
    return bool(_zone("", base_of(old), base_of(new)))


def may_lose(old: str, new: str) -> bool:
    """Say whether values may come out as other ones, as 9.99 does from numeric to integer; arrays as their elements."""
    one, other = base_of(old), base_of(new)
    if one in NUMBERS and other == "BOOLEAN":
        return True
    if (one, other) in WIDENING and "(" not in new:
        return False
    family = next((each for each in (NUMBERS, MOMENTS, CLOCKS) if one in each and other in each), None)
    return (
        family is not None and old.upper() != new.upper() and not needs_zone(old, new) and (one, other) != MOMENTS[:2]
    )


def _between_families(column: str, bases: tuple[str, str], new: str) -> str:
    one, other = bases
    brackets = _brackets(new)
    if one == "MONEY" and other in NUMBERS:
        return f"{column}::numeric{brackets}::{new}"
    if one in NUMBERS and other == "BOOLEAN" and not brackets:
        return f"{column} <> 0"
    if one in TEXTS and other == "BYTEA" and not brackets:
        return f"convert_to({column}, 'UTF8')"
    if one == "BOOLEAN" and other in NUMBERS:
        return f"{column}::integer{brackets}::{new}"
    return f"{column}::{new}" if one in TEXTS else f"{column}::text{brackets}::{new}"


def _same_family(one: str, other: str) -> bool:
    return any(one in family and other in family for family in FAMILIES)


def are_kin(old: str, new: str) -> bool:
    """Say whether two types hold the same kind of values: text of another length, a number of another size."""
    one, other = base_of(old), base_of(new)
    return old.endswith("[]") == new.endswith("[]") and (one == other or _same_family(one, other))


def _brackets(ddl: str) -> str:
    return "[]" if ddl.endswith("[]") else ""


def shortens(old: str, new: str) -> int | None:
    """Tell the length that values must keep to, where a text type becomes shorter; else None."""
    lengths = [re.search(r"\((\d+)\)", each) for each in (old, new)]
    if base_of(new) not in TEXTS or base_of(old) not in TEXTS or lengths[1] is None or new.endswith("[]"):
        return None
    wanted = int(lengths[1].group(1))
    return wanted if lengths[0] is None or int(lengths[0].group(1)) > wanted else None
