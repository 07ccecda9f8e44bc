"""Functions and operators that another role plants beside PostgreSQL's own: an exact match of types would win over those."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.commands.support import (
    HEAD,
    current,
    database_of,
    finish,
    holding_lock,
    launch,
    query,
    until,
    write_revision,
)
from tests.servers import ROOT, Project

FIRST, SECOND = "aaaa00000001", "aaaa00000002"
# Signatures that fit an argument better than PostgreSQL's own, which take any type, or another one by a cast.
FUNCTIONS = [
    "format(text, name, name)",
    "format(text, text, name)",
    "concat_ws(text, oid, oid, smallint)",
    "left(text, bigint)",
    "unnest(text[])",
    "to_jsonb(pg_database)",
    "has_schema_privilege(oid, name)",
    "set_config(name, name, boolean)",
]
OPERATORS = [
    ("=", "oid", "bigint"),
    ("=", "oid", "integer"),
    ("=", "oid", "regclass"),
    ("<>", "oid", "integer"),
    ("<>", "oid", "regnamespace"),
    ("!~", "name", "name"),
    ("||", "name", "name"),
    ("||", "name", "text"),
    ("->>", "jsonb", "jsonb"),
]
AGGREGATES = ["oid", "text", "name", "bigint"]
TASKS = [
    ["status"],
    ["doctor"],
    ["check", "--drift"],
    ["backup"],
    ["stamp", HEAD],
    ["migrate"],
    ["rehearse"],
    ["rollback", "--yes"],
    ["mark", "--environment", "test"],
]
KEYWORDS = {
    *("row", "all", "and", "any", "array", "as", "by", "cascade", "check", "coalesce", "columns", "conflict", "exists", "extract", "filter"),
    *("from", "in", "pg_", "insert", "kept", "mark", "not", "on", "or", "ours", "select", "then", "trusted", "unnest", "using", "values", "w", "when", "where"),
}  # fmt: skip


@pytest.fixture
def planted(migrated: Project) -> Iterator[Project]:
    """A database where a role without any right but to create in public, as everybody had up to PostgreSQL 14, has planted."""
    stranger = f"stranger_{database_of(migrated).name}"
    query(migrated, "create table public.bait (name text)")
    query(
        migrated,
        f"create role {stranger} login; grant create, usage on schema public to {stranger}; grant insert on bait to public",
    )
    spring = "language plpgsql as $$ begin raise exception 'planted % ran as %', '{what}', current_user; end $$"
    for signature in FUNCTIONS:
        what = spring.format(what=signature.replace(",", ""))
        query(migrated, f"set role {stranger}; create function public.{signature} returns text {what}")
    for number, (name, left, right) in enumerate(OPERATORS):
        result = "text" if name in {"||", "->>"} else "boolean"
        query(
            migrated,
            f"set role {stranger}; create function public.op{number}({left}, {right}) returns {result} {spring.format(what=name)}; "
            f"create operator public.{name} (leftarg = {left}, rightarg = {right}, function = public.op{number})",
        )
    for kind in AGGREGATES:
        query(
            migrated,
            f"set role {stranger}; create function public.add_{kind}({kind}[], {kind}) returns {kind}[] {spring.format(what=kind)}; "
            f"create aggregate public.array_agg({kind}) (sfunc = public.add_{kind}, stype = {kind}[])",
        )
    # An invalid index of the stranger's is looked at by every step.
    query(migrated, f"set role {stranger}; create table public.twice as select 1 as id from generate_series(1, 2)")
    with pytest.raises(Exception, match="could not create unique index"):
        query(migrated, "create unique index concurrently once on twice (id)")
    yield migrated
    database_of(migrated).drop()
    database_of(migrated).server.execute(f"drop role {stranger}")


@pytest.mark.parametrize("task", TASKS, ids=[" ".join(each) for each in TASKS])
def test_nothing_that_a_stranger_planted_runs_as_the_role_that_migrates(planted: Project, task: list[str]) -> None:
    """S26: in a step, while it waits for its turn, and in what only looks."""
    write_revision(planted, FIRST, "op.execute('create table first ()')", downgrade="op.execute('drop table first')")
    if task[0] in {"migrate", "rollback"}:
        write_revision(
            planted,
            SECOND,
            "op.execute('create table second ()')",
            down=FIRST,
            downgrade="op.execute('drop table second')",
        )
    if task[0] == "rollback":
        planted.invoke("migrate")

    done = planted.invoke(*task)

    assert "planted" not in done.stderr + done.stdout
    assert done.code in {0, 6}, done.stderr


def test_nothing_planted_runs_while_a_run_waits_for_the_lock(planted: Project) -> None:
    """S26: who holds the lock, and who holds a table, is asked for as well."""
    write_revision(planted, FIRST, "op.execute('create table first ()')")

    with holding_lock(planted):
        process = launch(planted, "migrate")
        until(lambda: query(planted, "select 1 from pg_stat_activity where application_name = 'stillroom migrate'"))
        busy = planted.invoke("migrate", "--wait-s", "0.3")
    code, _, stderr = finish(process)

    assert (busy.code, code) == (7, 0), (busy.stderr, stderr)
    assert "planted" not in stderr + busy.stderr
    assert current(planted) == [FIRST]


def test_our_own_sql_calls_functions_by_their_whole_names() -> None:
    """S26: all but what runs with an empty search path (`catalog_sql.py`)."""
    found = []
    for path in sorted((ROOT / "src/stillroom").rglob("*.py")):
        if path.name != "catalog_sql.py" and "core" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and re.match(r"\s*(select|with)\b", node.value)
                ):
                    calls = re.findall(r"(?<![\w.'\"`])([a-z_]\w*)\(", node.value)
                    found += [f"{path.name}:{node.lineno} {each}" for each in calls if each not in KEYWORDS]

    assert found == []
