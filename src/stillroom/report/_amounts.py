"""Sizes and ages as people say them."""

from __future__ import annotations


def size(size_bytes: int) -> str:
    """Say a size: 14 kB, 1.2 MB."""
    amount, unit = float(size_bytes), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            break
        amount /= 1000
    return f"{amount:.0f} {unit}" if amount >= 10 or unit == "bytes" else f"{amount:.1f} {unit}"


def age(seconds: float) -> str:
    """Say an age by its largest unit: 40 s, 2 min, 3 h, 5 days."""
    for unit_s, name in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= unit_s:
            count = int(seconds // unit_s)
            return f"{count} {name}" + ("s" if name == "day" and count > 1 else "")
    return f"{max(seconds, 0):.0f} s"


def count(number: int, noun: str) -> str:
    """Say a number with its noun: 1 table, 2 tables."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def findings(problems: int, warnings: int) -> str:
    """Say how many problems and warnings there are, those that are none left out."""
    return ", ".join(count(each, noun) for each, noun in ((problems, "problem"), (warnings, "warning")) if each)
