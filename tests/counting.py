"""Counts that a test prints: what was tried, how often, and what came of it, also where several processes run the tests."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Counted = Callable[[str], None]
PROPERTY = "counted"


def counts_of(reporter: pytest.TerminalReporter) -> list[str]:
    """Collect the counts of all tests that ran, in the order of their ends."""
    reports = (each for kind in ("passed", "failed") for each in reporter.stats.get(kind, ()))
    return [text for report in reports for name, text in report.user_properties if name == PROPERTY]
