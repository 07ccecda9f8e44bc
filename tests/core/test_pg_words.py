"""What pg_dump and pg_restore say, and whether it is a failure."""

from __future__ import annotations

import pytest

from stillroom.core.pg_words import find_lack, unexpected_lines, without_timeout_error

COLLATION = """WARNING:  database "shop" has a collation version mismatch
DETAIL:  The database was created using collation version 2.31, but the operating system provides version 2.36.
HINT:  Rebuild all objects in this database that use the default collation and run ALTER DATABASE shop REFRESH COLLATION
"""
CIRCULAR = """pg_dump: warning: there are circular foreign-key constraints on this table:
pg_dump: detail: users
pg_dump: hint: You might not be able to restore the dump without using --disable-triggers or temporarily dropping
"""
TIMEOUT = """pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
Command was: SET transaction_timeout = 0;
pg_restore: warning: errors ignored on restore: 1
"""
OWNER = """pg_restore: error: could not execute query: ERROR:  must be member of role "postgres"
Command was: ALTER TABLE public.users OWNER TO postgres;
"""


@pytest.mark.parametrize("said", ["", "\n \n", COLLATION, CIRCULAR, COLLATION + CIRCULAR])
def test_what_says_nothing_about_the_dump_is_let_pass(said: str) -> None:
    assert unexpected_lines(said) == ()


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("pg_dump: warning: something new", ("pg_dump: warning: something new",)),
        (COLLATION + "pg_dump: error: aborting", ("pg_dump: error: aborting",)),
        ("pg_dump: hint: of nothing known", ("pg_dump: hint: of nothing known",)),
        ("pg_dump: error: x\npg_dump: detail: y\n" + CIRCULAR, ("pg_dump: error: x", "pg_dump: detail: y")),
    ],
)
def test_anything_else_may_mean_missing_rows(said: str, found: tuple[str, ...]) -> None:
    """F75."""
    assert unexpected_lines(said) == found


def test_the_one_error_an_older_server_makes_of_a_newer_pg_restore_is_left_out() -> None:
    assert without_timeout_error(TIMEOUT * 3) == ()
    assert without_timeout_error(TIMEOUT + OWNER) == tuple(OWNER.strip().splitlines())


SLOTS = """pg_dump: error: query failed: ERROR:  out of shared memory
HINT:  You might need to increase "max_locks_per_transaction".
"""
KEPT_OUT = """pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout
pg_dump: detail: Query was: LOCK TABLE public.shelf, public.users IN ACCESS SHARE MODE
"""
LIMITED = """pg_dump: error: connection to server at "127.0.0.1", port 5432 failed: FATAL:  too many connections for role "app"
"""


def test_what_a_setting_of_the_server_would_give_is_named() -> None:
    """F79, F83."""
    assert "`max_locks_per_transaction = 256`" in find_lack(SLOTS, jobs=2, lock_slots=256)
    assert "twice as much as today" in find_lack(SLOTS, jobs=2)
    assert '`ALTER ROLE "app" CONNECTION LIMIT 8`' in find_lack(LIMITED, jobs=4)
    assert "kept pg_dump out" in find_lack(KEPT_OUT, jobs=1)
    assert find_lack(OWNER, jobs=4) == ""
