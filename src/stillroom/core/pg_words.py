"""What pg_dump and pg_restore say on stderr, and whether it is a failure."""

from __future__ import annotations

import re

from stillroom.core.lock_slots import HINT

# Lines on stderr that say nothing about the dump: the server's word on an updated C library, and a warning that
# concerns restores of data alone. Each may be followed by lines of detail.
HARMLESS = (
    re.compile(r'.*WARNING:  database ".*" has (a collation version mismatch|no actual collation version)'),
    re.compile(r"pg_dump: warning: there are circular foreign-key constraints"),
)
FOLLOWING = re.compile(r"(.*: )?(detail|hint|DETAIL|HINT):? ")
TIMEOUT_ERROR = (
    re.compile(r'pg_restore: error: .*unrecognized configuration parameter "transaction_timeout"'),
    re.compile(r"Command was: SET transaction_timeout = 0;"),
    re.compile(r"pg_restore: while INITIALIZING:"),
    re.compile(r"pg_restore: warning: errors ignored on restore: \d+"),
)

SLOTS = "max_locks_per_transaction"
# Between our lock and pg_dump's own a statement came that waits for ours, and pg_dump queued behind it.
KEPT_OUT = "Query was: LOCK TABLE "
KEPT_OUT_HINT = (
    "another session's statement waited for one of the tables, and kept pg_dump out: run it again when that is over; "
    "nothing was kept, older backups are untouched"
)
TOO_MANY = re.compile(r'FATAL: +too many connections for role "([^"]*)"')
OWN_CONNECTIONS = 3  # the one with the lock, one beside the database, and one to look at a copy


def unexpected_lines(stderr: str) -> tuple[str, ...]:
    """Return the lines of pg_dump's stderr that are not known to be harmless: each may mean rows that are missing."""
    unexpected: list[str] = []
    is_harmless = False
    for line in filter(str.strip, stderr.splitlines()):
        if not FOLLOWING.match(line):
            is_harmless = any(each.match(line) for each in HARMLESS)
        if not is_harmless:
            unexpected.append(line.strip())
    return tuple(unexpected)


def without_timeout_error(stderr: str) -> tuple[str, ...]:
    """Return what pg_restore complained about besides `transaction_timeout`, which servers before 17 do not know."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return tuple(line for line in lines if not any(each.match(line) for each in TIMEOUT_ERROR))


def find_lack(stderr: str, *, jobs: int, lock_slots: int = 0) -> str:
    """Return what to do where the server lacked something that a setting gives, or a session was in the way; else empty.

    Args:
        stderr: What pg_dump or pg_restore said.
        jobs: How many tables at a time it was asked for.
        lock_slots: A `max_locks_per_transaction` that suffices; 0 where nobody knows.
    """
    if SLOTS in stderr:
        return HINT.format(lock_slots or "… (twice as much as today)")
    if KEPT_OUT in stderr:
        return KEPT_OUT_HINT
    limited = TOO_MANY.search(stderr)
    if limited:
        role, many = limited[1], jobs + 1 + OWN_CONNECTIONS
        return f'a connection is needed for each job, and some more: `ALTER ROLE "{role}" CONNECTION LIMIT {many}`'
    return ""
