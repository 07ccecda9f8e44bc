"""How far a plan came, told from the version table."""

from __future__ import annotations

import pytest

from stillroom.core.history import Revision, make_history
from stillroom.core.plan import plan_downgrade, plan_upgrade
from stillroom.core.progress import has_gone_further, positions

#   a - b - d (merge)
#    \- c -/   then e
HISTORY = make_history(
    [
        Revision("a", path="1"),
        Revision("b", ("a",), path="2"),
        Revision("c", ("a",), path="3"),
        Revision("d", ("b", "c"), path="4"),
        Revision("e", ("d",), path="5"),
    ]
)


def test_each_step_of_an_upgrade_leaves_its_own_rows() -> None:
    plan = plan_upgrade(HISTORY, ("a",))

    assert positions(HISTORY, plan) == (("a",), ("b",), ("b", "c"), ("d",), ("e",))


def test_each_step_of_a_downgrade_leaves_its_own_rows() -> None:
    plan = plan_downgrade(HISTORY, ("e",), target="a")

    assert positions(HISTORY, plan)[:2] == (("e",), ("d",))
    assert positions(HISTORY, plan)[-1] == ("a",)


@pytest.mark.parametrize(
    ("current", "expected"), [(("e",), True), (("d",), False), (("b",), False), (("unknown",), False)]
)
def test_somebody_who_went_further_is_told_from_somebody_who_did_not(current: tuple[str, ...], expected: bool) -> None:
    plan = plan_upgrade(HISTORY, ("a",), "d")

    assert has_gone_further(HISTORY, plan, current) is expected
