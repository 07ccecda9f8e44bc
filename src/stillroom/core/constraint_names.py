"""The names PostgreSQL gives to constraints that were made without one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

LONGEST_BYTES = 63


class ConstraintNames:
    """Names of one script; a second equal one in a schema gets a number, as PostgreSQL does it.

    Args:
        taken: Schema and name of what is there already; no schema means the first of the search path.
    """

    def __init__(self, taken: Iterable[tuple[str | None, str]] = ()) -> None:
        self.given: set[tuple[str | None, str]] = set(taken)

    def free(self, name: str, schema: str | None = None) -> None:
        """Let the name of what goes be given again."""
        self.given.discard((schema, name))

    def make(self, table: str, columns: Sequence[str], suffix: str, *, schema: str | None = None) -> str:
        """Name a constraint.

        Args:
            table: The constrained table.
            columns: Its columns, in order.
            suffix: "key", "fkey" or "check".
            schema: The table's; None for the first of the search path.
        """
        number = 0
        while (schema, name := _join(table, "_".join(columns), suffix + (str(number) if number else ""))) in self.given:
            number += 1
        self.given.add((schema, name))
        return name


def _join(table: str, columns: str, suffix: str) -> str:
    """Shorten the longer of both parts until all fits, as makeObjectName() of the server does."""
    one, other = table.encode(), columns.encode()
    room = LONGEST_BYTES - len(suffix) - 1 - (1 if other else 0)
    while len(one) + len(other) > room:
        if len(one) > len(other):
            one = one[:-1]
        else:
            other = other[:-1]
    parts = (one.decode(errors="ignore"), other.decode(errors="ignore"), suffix)
    return "_".join(part for part in parts if part)
