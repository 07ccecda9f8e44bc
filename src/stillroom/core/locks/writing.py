"""The locks of what reads and writes rows.

Source: PostgreSQL documentation, "Explicit Locking": ROW EXCLUSIVE is taken by any command that modifies data.
"""

from __future__ import annotations

from stillroom.core.locks.modes import ROW_EXCLUSIVE, Found
from stillroom.core.sql_text import Reader, Token

# What may stand before a bracket in a SELECT without being a function that could do anything.
_HARMLESS = {
    "all", "and", "any", "array", "array_agg", "as", "avg", "between", "by", "case", "cast", "coalesce", "concat", "count",
    "current_setting", "date_trunc", "distinct", "else", "except", "exists", "extract", "filter", "format", "from",
    "generate_series", "greatest", "having", "in", "intersect", "interval", "is", "json_build_object", "jsonb_build_object",
    "join", "jsonb_agg", "lateral", "least", "length", "like", "limit", "lower", "max", "materialized", "min", "not",
    "now", "nullif", "numeric", "on", "or", "over", "recursive", "row", "select", "set_config",
    "some", "string_agg", "substring", "sum", "then", "to_char", "to_regclass", "trim", "union", "unnest", "upper",
    "using", "values", "varchar", "when", "where", "with", "within",
}  # fmt: skip


def find_row_locks(reader: Reader) -> Found | None:
    """Name the tables whose rows are written; None for a SELECT that calls a function, which could do anything."""
    tokens = reader.tokens
    found = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        if before is not None and before not in (Token("mark", "("), Token("mark", ")")):
            continue
        there = Reader(tokens)
        there.at = index
        if (
            there.takes("insert", "into")
            or there.takes("update")
            or there.takes("delete", "from")
            or there.takes("merge", "into")
        ):
            there.takes("only")
            found.append((there.relation(), ROW_EXCLUSIVE))
        elif token.is_word("select") and _calls(reader):
            return None
    return tuple(found)


def _calls(reader: Reader) -> bool:
    """Say whether it may call a function that is not known; writing counts by what is written to."""
    if reader.tokens[0].is_word("insert", "update", "delete", "merge"):
        return False
    pairs = zip(reader.tokens, reader.tokens[1:], strict=False)
    return any(
        second == Token("mark", "(")
        and (first.kind == "name" or (first.kind == "word" and first.text not in _HARMLESS))
        for first, second in pairs
    )


def find_copy_locks(reader: Reader) -> Found:
    """Name the table that rows are copied into."""
    if reader.takes_mark("("):
        return ()
    table = reader.relation()
    return ((table, ROW_EXCLUSIVE),) if reader.skip_to("from") else ()
