"""What doctor found: how bad it is, its name, one line about it, and the next command to type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from stillroom.errors import StillroomError

Severity = Literal["ok", "info", "warning", "problem"]
ORDER: tuple[Severity, ...] = ("ok", "info", "warning", "problem")
SHOWN_OF_A_KIND = 20


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        severity: "problem" (a task fails or somebody is at risk), "warning", "info", or "ok".
        name: Stable, in kebab-case; the page of doctor explains it.
        message: What is so, in one line.
        hint: The next thing to type; empty only where nothing is to be done.
    """

    severity: Severity
    name: str
    message: str
    hint: str = ""


def from_error(name: str, error: StillroomError, severity: Severity = "problem") -> Finding:
    """Make a finding of what a task would stop with; the lines of a hint become one."""
    return Finding(severity, name, error.message, "; ".join(each for each in error.hint.splitlines() if each))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sort by severity, problems last; what was found first stays first among equals."""
    return tuple(sorted(findings, key=lambda each: ORDER.index(each.severity)))


def shortened(findings: Iterable[Finding], most: int = SHOWN_OF_A_KIND) -> tuple[Finding, ...]:
    """Keep the first of many findings of one kind, and say how many more there are.

    Args:
        findings: All of one name.
        most: How many are kept, at least 1.
    """
    found = tuple(findings)
    if len(found) <= most:
        return found
    last = replace(found[most], message=f"{len(found) - most} more like these, the first: {found[most].message}")
    return (*found[:most], last)


def count(findings: Iterable[Finding], severity: Severity) -> int:
    """Count the findings of one severity."""
    return sum(each.severity == severity for each in findings)


def graver(*, is_protected: bool) -> Severity:
    """Choose between a warning, where losing data is no option, and information elsewhere."""
    return "warning" if is_protected else "info"
