"""What rows that are there already hold in a column that they did not have."""

from __future__ import annotations

import re

from stillroom.core.casts import NUMBERS, TEXTS, base_of

_LITERAL = re.compile(
    r"""(?ix) \s* (?: [+-]?\d+(?:\.\d+)? | '(?:[^']|'')*' | [EB]'(?:[^'\\]|'')*' | true | false | current_date | current_timestamp
        | now\(\) | array\[[^\[\]()]*\] ) \s* (?: :: \s* "?[\w. ]+"? (?:\(\d+(?:,\s*\d+)?\))? (?:\[\])? \s* )* """
)
_NEUTRAL = {
    "BOOLEAN": "false",
    "JSON": "'{}'::json",
    "JSONB": "'{}'::jsonb",
    "UUID": "gen_random_uuid()",
    "DATE": "current_date",
    "TIMESTAMP WITHOUT TIME ZONE": "now()",
    "TIMESTAMP WITH TIME ZONE": "now()",
    "TIME WITHOUT TIME ZONE": "'00:00'",
    "TIME WITH TIME ZONE": "'00:00+00'",
    "INTERVAL": "'0'::interval",
    "BYTEA": "''::bytea",
    "INET": "'0.0.0.0'::inet",
    "CIDR": "'0.0.0.0/0'::cidr",
    "HSTORE": "''::hstore",
    "TSVECTOR": "''::tsvector",
}
_DISTINCT = {
    "DATE": "current_date + n::integer",
    "TIMESTAMP WITHOUT TIME ZONE": "now() + n * interval '1 second'",
    "TIMESTAMP WITH TIME ZONE": "now() + n * interval '1 second'",
}


def is_constant(expression: str) -> bool:
    """Say whether all rows can get the same value, so that a default fills them without a rewrite of the table.

    Source: PostgreSQL documentation, "ALTER TABLE": a non-volatile default is evaluated once and kept in the catalog.
    """
    return _LITERAL.fullmatch(expression) is not None


def find_neutral(ddl: str, labels: tuple[str, ...] = ()) -> str:
    """Name a value for rows whose own is gone; empty for a type that has none that anybody would expect.

    Args:
        ddl: The column's type, as DDL.
        labels: Its members, for an enum type.
    """
    if ddl.endswith("[]"):
        return "'{}'"
    if labels:
        return "'" + labels[0].replace("'", "''") + "'"
    base = base_of(ddl)
    if base in NUMBERS:
        return "0"
    if base in TEXTS:
        return "''"
    return _NEUTRAL.get(base, "")


def find_candidates(ddl: str, labels: tuple[str, ...] = (), checks: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Name values for rows whose own is gone, the neutral one first; the others are for a CHECK that it does not fit.

    Args:
        ddl: The column's type, as DDL.
        labels: Its members, for an enum type.
        checks: Expressions that the value has to fit; what they compare with is often such a value.
    """
    neutral = find_neutral(ddl, labels)
    if not neutral or ddl.endswith("[]"):
        return (neutral,) if neutral else ()
    base, text = base_of(ddl), " ".join(checks)
    others: list[str] = []
    if labels:
        others = ["'" + each.replace("'", "''") + "'" for each in labels]
    elif base == "BOOLEAN":
        others = ["true"]
    elif base in NUMBERS:
        others = ["1", "-1", *re.findall(r"(?<![\w.'])\d+(?:\.\d+)?(?![\w.'])", text)]
    elif base in TEXTS:
        others = ["'-'", *re.findall(r"'(?:[^'\\]|'')*'", text)]
    return tuple(dict.fromkeys([neutral, *others]))


def find_distinct(ddl: str) -> str:
    """Name a value that is another one in each row, of a number `n` that counts them; empty where there is none."""
    base = base_of(ddl)
    if ddl.endswith("[]"):
        return ""
    if base in NUMBERS:
        return "n"
    if base == "UUID":
        return "gen_random_uuid()"
    if base in _DISTINCT:
        return _DISTINCT[base]
    return "n::text" if base in TEXTS else ""
