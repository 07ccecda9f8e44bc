"""What two chains of revisions both touch: joined, they run one after the other, and nobody has tried that yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from stillroom.core.operations import Operation

Place = tuple[str | None, str]


def find_overlaps(chains: Sequence[Iterable[str]], operations: Mapping[str, tuple[Operation, ...]]) -> tuple[str, ...]:
    """Name each table that two chains touch, and each revision whose SQL does not tell what it touches.

    Args:
        chains: The revisions of each.
        operations: What each revision's upgrade does.
    """
    touched = [_touched(chain, operations) for chain in chains]
    found = []
    for one, other in combinations(touched, 2):
        for place in one.keys() & other.keys():
            found.append(
                f"both sides touch {_name(place, one[place], other[place])}: {_list(one, place)}; {_list(other, place)}"
            )
    raw = [each for chain in chains for each in chain if any(step.is_raw for step in operations.get(each, ()))]
    notes = [f"{each} runs SQL by hand: what that touches was not compared" for each in raw]
    return (*sorted(found), *notes)


def _touched(
    chain: Iterable[str], operations: Mapping[str, tuple[Operation, ...]]
) -> dict[Place, list[tuple[str, Operation]]]:
    found: dict[Place, list[tuple[str, Operation]]] = {}
    for revision in chain:
        for each in operations.get(revision, ()):
            if each.table and not each.is_raw:
                found.setdefault((each.schema, each.table), []).append((revision, each))
    return found


def _name(place: Place, one: list[tuple[str, Operation]], other: list[tuple[str, Operation]]) -> str:
    schema, table = place
    name = f"{schema}.{table}" if schema else table
    columns = {each.column for _, each in one} & {each.column for _, each in other} - {""}
    return f"column {', '.join(f'{name}.{each}' for each in sorted(columns))}" if columns else f"table {name}"


def _list(touched: Mapping[Place, list[tuple[str, Operation]]], place: Place) -> str:
    return ", ".join(f"{revision} {each.text}" for revision, each in touched[place])
