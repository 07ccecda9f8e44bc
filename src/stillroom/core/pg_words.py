"""What pg_dump and pg_restore say on stderr, and whether it is a failure."""

from __future__ import annotations

import re

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
