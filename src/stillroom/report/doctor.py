"""What doctor found, as text: one line each, problems last, and then the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillroom.core.findings import count
from stillroom.report._amounts import findings as amounts

if TYPE_CHECKING:
    from stillroom.commands.doctor import Examined
    from stillroom.core.findings import Finding


def text(result: Examined) -> str:
    """Write one line for each finding, and the answer last."""
    return "\n".join([*map(_line, result.findings), f"{result.database or 'no database'}: {_answer(result)}"])


def _line(finding: Finding) -> str:
    hint = f" → {finding.hint}" if finding.hint else ""
    return f"{finding.severity:<8} {finding.name}: {finding.message}{hint}"


def _answer(result: Examined) -> str:
    problems, warnings = count(result.findings, "problem"), count(result.findings, "warning")
    if not problems and not warnings:
        return "all well"
    names = dict.fromkeys(each.name for each in reversed(result.findings) if each.severity in {"problem", "warning"})
    return f"{amounts(problems, warnings)}: {', '.join(names)}"
