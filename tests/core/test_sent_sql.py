"""What is looked for in a statement before it is sent, and what may be shown of it."""

from __future__ import annotations

import pytest

from stillroom.core.sent_sql import find_indexes, find_transaction_word, hide_values, is_concurrent


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("commit", "COMMIT"),
        ("  -- why\n/* not */ COMMIT;", "COMMIT"),
        ("select 1; end", "END"),
        ("abort", "ABORT"),
        ("begin", "BEGIN"),
        ("start transaction read only", "START TRANSACTION"),
        ("prepare transaction 'x'", "PREPARE TRANSACTION"),
        ("rollback and chain", "ROLLBACK"),
        ("rollback work", "ROLLBACK"),
        ("rollback to a", ""),
        ("ROLLBACK TRANSACTION TO SAVEPOINT a", ""),
        ("release savepoint a", ""),
        ("prepare plan as select 1", ""),
        ("select 'x; commit; y'", ""),
        ("do $$ begin perform 1; end $$", ""),
        ("create function f() returns int language sql begin atomic select 1; end", ""),
        ('create table "commit" (n int)', ""),
        ("-- commit\nselect 1", ""),
    ],
)
def test_a_word_that_ends_a_transaction_is_found_where_it_begins_a_statement(sql: str, word: str) -> None:
    assert find_transaction_word(sql) == word


def test_indexes_are_named_as_the_catalog_spells_them_with_their_tables() -> None:
    sql = """CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "A""b" ON only app.t (x); create index Foo on t (y);
             create index on t (z); drop index bar; select 'create index no on t (x)'"""

    assert find_indexes(sql) == {('A"b', "app.t"), ("foo", "t")}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("create index concurrently i on t (a)", True),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", True),
        ("alter table p detach partition c concurrently", True),
        ("create index i on t (a)", False),
        ("alter table t add column a int /* its index is made concurrently later */", False),
        ("comment on table t is 'create index concurrently'", False),
    ],
)
def test_a_concurrent_statement_is_told_from_others(sql: str, expected: bool) -> None:
    assert is_concurrent(sql) is expected


def test_no_value_of_a_foreign_statement_is_shown() -> None:
    sql = "select * from t where a = 'x''y' and b = 12.5 -- secret\n and c = $$ hi $$ and d1 = E'z' and e = 'cut of"

    assert hide_values(sql) == "select * from t where a = ? and b = ? and c = ? and d1 = ? and e = ?"
    assert hide_values("select " + "a, " * 100, length=20) == "select a, a, a, a, …"


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("insert into t values (7, 'x--y'),\n (8, 'topsecret')", "insert into t values (?, ?), (?, ?)"),
        ("case when a then b else'a\\' end where t <> 'hunter2'", "case when a then b else? end where t <> ?"),
        ("alter table t add \"it's\" text default 'sesame'", 'alter table t add "it\'s" text default ?'),
        ("select 1e5, 0xBEEF, 1_000_000, .5, -3", "select ?, ?, ?, ?, -?"),
        ("select 1 /* a /* nested */ secret */ from t1", "select ? from t1"),
        ("select 'no end", "select ?"),
        ("select $x$no end", "select ?"),
        ("select U&'d\\0061t', b'01', x'ff' from \"no end", "select ?, ?, ? from ?"),
    ],
)
def test_no_literal_is_shown_whatever_stands_around_it(sql: str, shown: str) -> None:
    """F67."""
    assert hide_values(sql, length=200) == shown
