"""Which tables SQL text makes."""

import pytest

from stillroom.core.created_tables import find_created_tables


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("CREATE TABLE users (id int);\n\nCREATE INDEX i ON users (id);", ((None, "users"),)),
        ('create /* TABLE a */ table -- b\n "App"."My ""T""" ();', (("App", 'My "T"'),)),
        ("CREATE UNLOGGED TABLE Public.Users ()", (("public", "users"),)),
        ("create table p partition of q default; create foreign table f () server s", ((None, "p"), (None, "f"))),
        ("create table a as select 1; create table b (like a)", ((None, "a"), (None, "b"))),
        ("alter table if exists app.a rename to b", (("app", "b"),)),
        ("alter table a rename c to d", ()),
        ("create table if not exists a (); create temp table b (); create temporary table c ()", ()),
        ("comment on table a is 'x; create table b ();'; select $q$; create table c ();$q$, E'\\'; create table d ()'", ()),
        ("create function f() returns int begin atomic; select case when true then 1 end; create table no (); end; create table a ()", ((None, "a"),)),
        ("", ()),
    ],
    ids=["plain", "quoted and commented", "unlogged", "partition and foreign", "as and like", "renamed", "column renamed",
         "may be there", "in strings", "in a function's body", "nothing"],
)  # fmt: skip
def test_tables_are_found(sql: str, found: tuple[tuple[str | None, str], ...]) -> None:
    assert find_created_tables(sql) == found
