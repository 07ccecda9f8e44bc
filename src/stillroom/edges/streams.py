"""The three standard streams, which a parent may have closed."""

from __future__ import annotations

import os
import sys

_missing: set[str] = set()


def open_missing_streams() -> None:
    """Put the null device where a standard stream is closed.

    A file or socket opened later would get its number, and what is printed would go there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            _missing.add(name)
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def write_result(text: str) -> bool:
    """Write a result to stdout; False when it is closed or full."""
    if "stdout" in _missing:
        return False
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        # Where the locale is C for good, a name is shown with escapes rather than not at all.
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        # Python flushes stdout once more at exit and would complain there; give it something that works.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        return False
    return True
