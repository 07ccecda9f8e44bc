"""What a plan's SQL locks; tests/edges/test_locks_oracle.py holds each statement against the server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillroom.core.locks import Lock, plan_locks
from stillroom.core.sql_text import read_statements

ALL, WRITES, SCHEMA, ROWS = (
    "reads and writes",
    "writes",
    "schema changes only",
    "schema changes, and writes to the same rows",
)


@pytest.mark.parametrize(
    ("sql", "locks"),
    [
        ("/* drop table a */ ALTER TABLE -- x\n \"My \"\"T\"\"\" ADD c int;", [('My "T"', "ACCESS EXCLUSIVE", ALL)]),
        ("CREATE INDEX i ON app.users (a); ALTER TABLE app.users ADD c int", [("app.users", "ACCESS EXCLUSIVE", ALL)]),
        ("ALTER TABLE a ADD b int REFERENCES c (id)", [("a", "ACCESS EXCLUSIVE", ALL), ("c", "SHARE ROW EXCLUSIVE", WRITES)]),
        ("CREATE INDEX i ON a (b)", [("a", "SHARE", WRITES)]),
        ("CREATE INDEX CONCURRENTLY i ON a (b); DROP INDEX CONCURRENTLY i", [("a", "SHARE UPDATE EXCLUSIVE", SCHEMA)]),
        ("DROP INDEX i", [("the table of i", "ACCESS EXCLUSIVE", ALL)]),
        ("UPDATE a SET b = 1", [("a", "ROW EXCLUSIVE", ROWS)]),
        ("insert into a values ('; drop table b; --', $$; drop table c;$$, E'\\'; drop table d')", [("a", "ROW EXCLUSIVE", ROWS)]),
        ("DO $$ begin drop table a; end $$", [("do $$", "unknown", "")]),
        ("SELECT create_hypertable('a', 'b')", [("select create_hypertable ( 'a' …", "unknown", "")]),
        ("select 1; select lower(email) from users; set lock_timeout = 1", []),
        ("ALTER TABLE a FROBNICATE b", [("alter table a frobnicate …", "unknown", "")]),
        ("truncate a cascade", [("a", "ACCESS EXCLUSIVE", ALL), ("what CASCADE takes along", "unknown", "")]),
        ("alter table a drop constraint b cascade", [("a", "ACCESS EXCLUSIVE", ALL), ("what CASCADE takes along", "unknown", "")]),
        ("alter table a drop constraint b, drop c", [("a", "ACCESS EXCLUSIVE", ALL)]),
        ("alter type a drop attribute b cascade", [("a", "ACCESS EXCLUSIVE", ALL), ("what CASCADE takes along", "unknown", "")]),
        ("vacuum", [("every table", "unknown", "")]),
        ("", []),
    ],
    ids=["comments and quotes", "the strongest", "foreign key in a column", "index", "its own index", "an index from before", "rows", "strings",
         "a block", "a function", "reading", "unknown form", "cascade", "a key and who refers to it", "a key alone", "an attribute", "no table", "nothing"],
)  # fmt: skip
def test_a_step_locks(sql: str, locks: list[tuple[str, str, str]]) -> None:
    assert plan_locks([sql]) == (tuple(Lock(*each) for each in locks),)


def test_what_the_plan_made_itself_is_left_out() -> None:
    first = "CREATE TABLE a (id int, b int REFERENCES old (id)); CREATE INDEX i ON a (id); COMMENT ON TABLE a IS 'x'; ALTER TABLE a RENAME TO b"
    second = "ALTER TABLE b ADD c int; DROP INDEX i; UPDATE b SET c = 1; INSERT INTO old SELECT * FROM b"

    found = plan_locks([first, second])

    assert [[(lock.relation, lock.mode) for lock in step] for step in found] == [
        [("old", "SHARE ROW EXCLUSIVE")],
        [("old", "ROW EXCLUSIVE")],
    ]


def test_what_may_have_been_there_is_not_left_out() -> None:
    sql = "CREATE TABLE IF NOT EXISTS a (); ALTER TABLE a ADD b int; CREATE OR REPLACE VIEW v AS SELECT 1; DROP VIEW v"

    assert [lock.relation for lock in plan_locks([sql])[0]] == ["a", "v"]


PIECES = st.sampled_from(
    ["alter table", "create", "drop", "lock", "vacuum", "(", ")", ",", ";", "a", '"b', '"', "'", "$$", "/*", "*/", "--", "\n", "if", "on", "index",
     "table", "concurrently", "select", "f(", "reindex", "comment on", "add", "set", "in", "mode", "begin atomic", "end", "\0", "é", "1e5", "."]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_any_text_gets_an_answer(text: str) -> None:
    (locks,) = plan_locks([text])

    assert all(lock.mode and lock.relation is not None for lock in locks)
    assert all(read_statements(text))
