"""How long the migrating session waits, for what, and where it looks for names."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Limits:
    """Bounds of one run.

    Args:
        wait_s: Longest wait for our turn, in seconds, first for the server, then for the lock; 0 tries once.
        absent_wait_s: Longest wait for a server of which nothing answers, in seconds.
        lock_timeout_ms: First wait for a table lock, in milliseconds; retries grow to `LOCK_TIMEOUT_MOST_MS`.
        statement_timeout_ms: Longest statement, in milliseconds.
        lock_tries: How often a step that lost the wait for a lock is tried.
        search_path: Overrides what the server resolves for this role and database; None keeps that.
        pooler: "session" accepts a session pooler by name; anything else refuses poolers.
    """

    wait_s: float = 300.0
    absent_wait_s: float = 10.0
    lock_timeout_ms: int = 500
    statement_timeout_ms: int = 3_600_000
    lock_tries: int = 30
    search_path: str | None = None
    pooler: str = ""


LOCK_TIMEOUT_MOST_MS = 2_000
# Where nobody said how long: a typing error in the host shall not cost five minutes.
ABSENT_WAIT_S = 10.0
# Besides the longest statement: connecting, pausing between two tries, Python code between two statements.
SILENCE_BESIDES_S = 10.0


def longest_silence_s(limits: Limits) -> float:
    """Bound the seconds between two signs of life of a step: a statement that ends, or another that begins."""
    return limits.statement_timeout_ms / 1000 + SILENCE_BESIDES_S


def after_waiting(limits: Limits, seconds: float) -> Limits:
    """Take what was waited already from what may be waited still."""
    return replace(
        limits, wait_s=max(limits.wait_s - seconds, 0.0), absent_wait_s=max(limits.absent_wait_s - seconds, 0.0)
    )


def grown_lock_timeout_ms(first_ms: int, attempt: int) -> int:
    """Let the lock timeout grow with each attempt (0 is the first), up to 2 s unless the setting is higher."""
    return min(first_ms * (attempt + 2) // 2, max(LOCK_TIMEOUT_MOST_MS, first_ms))


def pause_s(attempt: int, jitter: float) -> float:
    """Choose the pause before the next attempt, in seconds: 0.3 s growing to 3 s.

    Args:
        attempt: 0 for the pause after the first attempt.
        jitter: A number from 0 to 1 that spreads concurrent runs.
    """
    return min(0.3 * (attempt + 1), 3.0) * (0.5 + jitter)
