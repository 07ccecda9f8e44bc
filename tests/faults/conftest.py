"""Fixtures of the fault tests: how often to try, and projects on databases that are at head."""

from __future__ import annotations

import pytest

ROUNDS = {"short": 3, "long": 20}


@pytest.fixture(scope="session")
def rounds(pytestconfig: pytest.Config) -> int:
    """How often to try what depends on chance: `--fault-rounds long` tries more."""
    return ROUNDS[pytestconfig.getoption("--fault-rounds")]
