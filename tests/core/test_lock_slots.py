"""How many lock slots are said to suffice."""

from __future__ import annotations

import pytest

from stillroom.core.lock_slots import Slots, suggest


@pytest.mark.parametrize(
    ("slots", "number"),
    [
        pytest.param(Slots(64, 100, 0, 20_000), 256, id="many tables on a usual server"),
        pytest.param(Slots(64, 100, 100, 20_000), 128, id="prepared transactions share"),
        pytest.param(Slots(10, 10, 0, 600), 128, id="a small one"),
        pytest.param(Slots(64, 100, 0, 10), 128, id="twice today's at least"),
    ],
)
def test_a_power_of_two_that_suffices(slots: Slots, number: int) -> None:
    """F83."""
    assert suggest(slots) == number
