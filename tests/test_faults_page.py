"""docs/faults.md and the tests say the same: which fault is proven, and where."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.servers import ROOT

TESTS = ROOT / "tests"
STATES = ("tested", "partly", "later", "superseded")
KNOWN = [
    *(f"F{number:02}" for number in range(1, 111)),
    *(f"S{number:02}" for number in range(1, 39)),
    *(f"K{number}" for number in range(1, 16)),
]
ROW = re.compile(r"^\| (?P<id>[FSK]\d+) \| (?P<fault>[^|]+) \| (?P<state>[^|]+) \| (?P<where>.+) \|$", re.MULTILINE)
ROWS = {row["id"]: row for row in ROW.finditer((ROOT / "docs" / "faults.md").read_text("utf-8"))}
ID = re.compile(r"\b([FSK]\d{1,3})(?: to ([FSK]\d{1,3}))?\b")
# Rules of ruff in `noqa` look like ids.
NOQA = re.compile(r"#\s*noqa:.*")


def named_in(text: str) -> set[str]:
    """Collect the ids a text names; `F06 to F13` names all of them."""
    found: set[str] = set()
    for first, last in ID.findall(NOQA.sub("", text)):
        found |= set(KNOWN[KNOWN.index(first) : KNOWN.index(last) + 1]) if last else {first}
    return found


def files_by_id() -> dict[str, set[str]]:
    """For each id the files below tests/ that name it."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("*.py")):
        if path != Path(__file__):
            for each in named_in(path.read_text("utf-8")):
                found[each].add(path.relative_to(TESTS).as_posix())
    return found


NAMED = files_by_id()


def test_every_id_has_one_row() -> None:
    found = [row["id"] for row in ROW.finditer((ROOT / "docs" / "faults.md").read_text("utf-8"))]

    assert sorted(found) == sorted(KNOWN)


def test_a_row_says_what_the_tests_prove() -> None:
    assert [problem for row in ROWS.values() if (problem := problem_of(row))] == []


def problem_of(row: re.Match[str]) -> str:
    """Say what is wrong with a row; empty when nothing is."""
    id_, state, files = row["id"], row["state"], set(re.findall(r"`([\w/]+\.py)`", row["where"]))
    if state not in STATES:
        return f"{id_}: {state} is no state"
    if state in ("later", "superseded"):
        return f"{id_} is {state}, and named in {sorted(NAMED[id_])}" if NAMED[id_] else ""
    if not files:
        return f"{id_} is {state}, and no file proves it"
    return f"{id_} is not named in {sorted(files - NAMED[id_])}" if files - NAMED[id_] else ""


def test_no_test_names_an_id_that_nobody_knows() -> None:
    assert set(NAMED) <= set(KNOWN)
