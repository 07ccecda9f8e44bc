"""What a revision does, as frozen values: read by the review, by rollback's count of losses, and by the rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = r"""(?:"(?:[^";]|"")+"|\w+)(?:\.(?:"(?:[^";]|"")+"|\w+))?"""
_KEEPS_ALL = re.compile(
    rf"""(?x) (?! .*,\s*(?i:drop|alter|add|set|rename|attach|detach)\b ) (?:
      ALTER\ TYPE\ {_NAME}\ (?:RENAME|ADD\ VALUE)\ [^;]* | CREATE\ TYPE\ {_NAME}\ AS\ ENUM\ [^;]* | DROP\ (?:TYPE|DOMAIN)\ {_NAME}
    | ALTER\ INDEX\ {_NAME}\ RENAME\ TO\ {_NAME} | CREATE\ EXTENSION\ IF\ NOT\ EXISTS\ {_NAME}
    | CREATE\ SCHEMA\ IF\ NOT\ EXISTS\ {_NAME} | DROP\ SCHEMA\ {_NAME}
    | (?:CREATE\ SEQUENCE\ {_NAME}\ AS|DROP\ SEQUENCE|ALTER\ SEQUENCE\ {_NAME}\ (?:RENAME\ TO|AS))\ {_NAME} | ALTER\ SEQUENCE\ {_NAME}\ OWNED\ BY\ [^;,()]+
    | SELECT\ setval\('(?:[^';\\]|'')+',\ [a-z_.]+,\ (?:is_called|true)\)\ FROM\ [^;()]*
    | DROP\ INDEX\ {_NAME} | CREATE\ (?:UNIQUE\ )?INDEX\ {_NAME}\ ON\ [^;]* | ALTER\ TABLE\ {_NAME}\ DROP\ CONSTRAINT\ {_NAME}
    | ALTER\ TABLE\ {_NAME}\ ADD\ CONSTRAINT\ {_NAME}\ (?:CHECK|UNIQUE|EXCLUDE|FOREIGN\ KEY)\b[^;]*
    | ALTER\ TABLE\ {_NAME}\ (?:RENAME|VALIDATE)\ CONSTRAINT\ [^;]* | ALTER\ TABLE\ {_NAME}\ ALTER\ COLUMN\ {_NAME}\ (?:SET|DROP)\ DEFAULT[^;]*
    | ALTER\ TABLE\ {_NAME}\ ALTER\ COLUMN\ (?P<column>{_NAME})\ TYPE\ (?P<type>{_NAME}(?:\[\])?)\ USING\ (?P=column)::text(?:\[\])?::(?P=type) ) """
)
"""Statements that make-migration writes: each of them leaves every row and value, or fails."""
_FILLS = re.compile(
    rf"""(?x) UPDATE\ (?P<table>{_NAME})\ SET\ (?P<column>{_NAME})\ =\ (?:[^;,=()]|\b(?:gen_random_uuid|now)\(\))*
    (?:\ FROM\ \(SELECT\ ctid\ AS\ place,\ row_number\(\)\ OVER\ \(\)\ AS\ n\ FROM\ (?P=table)\)
       \ AS\ numbered\ WHERE\ (?P=table)\.ctid\ =\ numbered\.place)? """
)
"""A statement that gives one column of all rows a value."""
_PART = re.compile(r'"((?:[^"]|"")+)"|(\w+)')


@dataclass(frozen=True)
class Operation:
    """One call of Alembic's `op` in a revision.

    Args:
        kind: The operation's name in Alembic: "create_table", "drop_column", "execute".
        table: The table it is about, or an empty string.
        schema: Its schema; None for the first of the search path.
        column: The column it is about, or an empty string.
        text: The operation in one line for a reader.
    """

    kind: str
    table: str = ""
    schema: str | None = None
    column: str = ""
    text: str = ""

    @property
    def is_raw(self) -> bool:
        """SQL written by hand: what it does cannot be told, but for a few forms that take nothing along."""
        return self.kind == "execute" and not _KEEPS_ALL.fullmatch(self.text)


@dataclass(frozen=True)
class Loss:
    """What dies with one operation.

    Args:
        what: "table notes", "column users.timezone", or the first words of raw SQL.
        count: Rows or non-null values; None when it cannot be counted.
        is_estimate: The count is the planner's estimate, because an exact one took over a second.
    """

    what: str
    count: int | None
    is_estimate: bool = False


def find_droppings(operations: tuple[Operation, ...]) -> tuple[Operation, ...]:
    """Pick the operations that may take rows or values along; what an earlier one of them made holds none."""
    made: set[tuple[str | None, str, str]] = set()
    found = []
    for each in operations:
        if each.kind in {"create_table", "add_column"}:
            made.add((each.schema, each.table, each.column))
        place = (each.schema, each.table, each.column)
        if each.is_raw:
            filled = _find_filled(each.text)
            found += [] if filled in made else [each]
        elif each.kind in {"drop_table", "drop_column"} and made.isdisjoint({place, (*place[:2], "")}):
            found.append(each)
    return tuple(found)


def _find_filled(text: str) -> tuple[str | None, str, str] | None:
    """Name the one column that a statement fills."""
    match = _FILLS.fullmatch(text)
    if match is None:
        return None
    *schema, table = (quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(match["table"]))
    ((quoted, plain),) = _PART.findall(match["column"])[-1:]
    return (schema[0] if schema else None, table, quoted.replace('""', '"') or plain)
