"""The three standard streams, which a parent may have closed."""

from __future__ import annotations

import errno
import os
import sys

CLOSED = "closed"
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


def write_result(text: str) -> str:
    """Write a result to stdout.

    Returns:
        Why it could not be written: "full disk" in the system's own words, or "closed"; empty when it was.
    """
    if "stdout" in _missing:
        return CLOSED
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        # Where the locale is C for good, a name is shown with escapes rather than not at all.
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        # Python flushes stdout once more at exit and would complain there; give it something that works.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
        if isinstance(error, ValueError) or error.errno in (errno.EPIPE, errno.EBADF):
            return CLOSED
        return error.strerror or "an error of the file system"
    return ""
