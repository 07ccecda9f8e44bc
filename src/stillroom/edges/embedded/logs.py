"""What the server and its programs wrote."""

from __future__ import annotations

from pathlib import Path


def last_lines(text: str, count: int = 12) -> str:
    """Return the end of a log, indented."""
    return "\n".join(f"  {line}" for line in text.strip().splitlines()[-count:])


def log_size(log: Path) -> int:
    """Return how long the server's log is now, in bytes."""
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def read_log(log: Path, start: int) -> str:
    """Return the log from a byte on, at most its last 64 KiB; "" when it cannot be read."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(start, log_size(log) - 65536))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""
