"""`check --drift`: is the live schema what the history produces, and do the statements really mend it?"""

from __future__ import annotations

import re
import signal
import subprocess
from typing import Any

import pytest

from tests.commands.drifting import ADDED, CHANGED, DROPPED, HISTORY, RETYPED
from tests.commands.support import (
    HEAD,
    INITIAL,
    TIMEZONE,
    answer,
    database_of,
    has_table,
    holding_lock,
    interrupt,
    launch,
    query,
    running,
    until,
    write_revision,
)
from tests.servers import Project

SCRATCH = "select count(*) from pg_database where datname like 'stillroom_scratch%%'"


def build(project: Project, sql: str) -> None:
    """Make a revision of SQL and apply it."""
    write_revision(project, "aaaa00000001", f"op.get_bind().exec_driver_sql({sql.replace('%', '%%')!r})")
    done = project.invoke("migrate")
    assert done.code == 0, done.stderr


def run_sql(project: Project, sql: str) -> None:
    """Run statements, top to bottom, each by itself."""
    database = database_of(project)
    command = [str(database.server.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url, "-f", "-"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{sql}"


def find_drift(project: Project) -> list[dict[str, Any]]:
    """Ask, and return the differences."""
    done = project.invoke("check", "--drift", "--json")
    found = answer(done.stdout)
    assert "result" in found, found
    differences: list[dict[str, Any]] = found["result"]["differences"]
    assert (done.code, found["ok"]) == (6 if differences else 0, not differences)
    return differences


def mend(project: Project, differences: list[dict[str, Any]]) -> None:
    """Run all statements."""
    run_sql(project, "\n".join(each["statement"] for each in differences))


def kinds(differences: list[dict[str, Any]], difference: str) -> set[str]:
    """Name the kinds of objects that differ in one way."""
    return {each["kind"] for each in differences if each["difference"] == difference}


def test_what_was_changed_and_added_by_hand_is_mended_by_the_statements(migrated: Project) -> None:
    """F110: every difference has a statement, and after all of them there is none."""
    build(migrated, HISTORY)
    at_first = find_drift(migrated)
    run_sql(migrated, CHANGED)
    run_sql(migrated, ADDED)

    found = find_drift(migrated)
    mend(migrated, found)

    assert at_first == []
    assert kinds(found, "differs") == {
        "column", "comment", "composite type", "constraint", "domain", "function", "index", "materialized view", "policy",
        "procedure", "sequence", "table", "trigger", "view",
    }  # fmt: skip
    assert kinds(found, "not from the history") == {
        "column", "comment", "composite type", "constraint", "domain", "enum", "function", "index", "materialized view",
        "policy", "procedure", "sequence", "table", "trigger", "view",
    }  # fmt: skip
    last = answer(migrated.invoke("check", "--drift", "--json").stdout)["result"]
    assert (last["differences"], last["left_out"]) == ([], ["theirs_alone"])
    assert has_table(migrated, "parted_1")


def test_what_was_dropped_or_retyped_under_views_is_mended_by_the_statements(migrated: Project) -> None:
    """F110: what hangs on a column is dropped and made again around the change of its type."""
    build(migrated, HISTORY)
    run_sql(migrated, RETYPED)
    retyped = find_drift(migrated)
    mend(migrated, retyped)
    run_sql(migrated, DROPPED)

    dropped = find_drift(migrated)
    mend(migrated, dropped)

    assert {"column", "trigger", "policy", "view", "index"} <= kinds(retyped, "differs")
    assert kinds(dropped, "missing") == {
        "column", "comment", "composite type", "constraint", "domain", "enum", "function", "index", "materialized view",
        "policy", "procedure", "schema", "sequence", "sequence owner", "table", "trigger", "view",
    }  # fmt: skip
    assert find_drift(migrated) == []


def test_the_text_names_object_difference_and_statement_and_nothing_is_changed(migrated: Project) -> None:
    """F110: a column added by hand is seen and named; a reader without the lock sees it too."""
    query(migrated, "alter table tasks add column by_hand text")
    query(migrated, "drop index ix_tasks_open_due_at")
    query(migrated, "alter table users alter timezone type varchar(10)")
    query(migrated, "alter type task_status add value 'late'")

    with holding_lock(migrated):
        done = migrated.invoke("check", "--drift")

    assert done.code == 6
    *lines, last = done.stdout.splitlines()
    assert lines == [
        "column public.tasks.by_hand: not from the history",
        "  ALTER TABLE public.tasks DROP COLUMN by_hand; -- loses rows",
        "enum value public.task_status 'late': not from the history",
        "  -- no statement removes a value: make public.task_status anew, and its columns, once no row holds 'late'",
        "column public.users.timezone: differs: type is character varying(10), the history makes character varying(64)",
        "  ALTER TABLE public.users ALTER COLUMN timezone DROP DEFAULT, ALTER COLUMN timezone TYPE character varying(64) "
        "USING timezone::character varying, ALTER COLUMN timezone SET DEFAULT 'UTC'::character varying;",
        "index public.ix_tasks_open_due_at: missing",
        "  CREATE INDEX CONCURRENTLY ix_tasks_open_due_at ON public.tasks USING btree (due_at) WHERE (completed_at IS NULL);",
    ]
    assert last.endswith(f": 4 differences from {HEAD}, built in a scratch database on the same server")
    assert query(migrated, "select count(*) from information_schema.columns where column_name = 'by_hand'") == [(1,)]
    assert query(migrated, SCRATCH) == [(0,)]


def test_an_invalid_index_is_dropped_and_made_again(migrated: Project) -> None:
    """F110: what a cancelled concurrent build leaves is a difference, whether the history has that index or not."""
    query(migrated, "insert into users (email, display_name) values ('a', 'Ada'), ('b', 'Ada')")
    query(migrated, "drop index ix_tasks_open_due_at")
    for statement in (
        "create unique index concurrently ix_left on users (display_name)",
        "create unique index concurrently ix_tasks_open_due_at on users (display_name)",
    ):
        with pytest.raises(Exception, match="could not create unique index"):
            query(migrated, statement)

    found = find_drift(migrated)
    mend(migrated, found)

    assert [(each["object"], each["difference"]) for each in found] == [
        ("public.ix_left", "not from the history"),
        ("public.ix_tasks_open_due_at", "differs"),
    ]
    assert "not valid" in found[1]["detail"]
    assert find_drift(migrated) == []


def test_the_statements_of_the_text_mend_when_they_are_pasted(migrated: Project) -> None:
    """F110: what has lines of its own is shown with them; a backslash and an n would end psql after the DROP."""
    function = "create function twice(n int) returns int language plpgsql as $$\nbegin\n  return 2 * n;\nend\n$$"
    build(migrated, function)
    query(migrated, "drop function twice(int)")
    query(migrated, "drop index ix_tasks_open_due_at")
    query(migrated, "create index ix_tasks_open_due_at on tasks (due_at)")

    found = migrated.invoke("check", "--drift")
    about = re.compile(r"(?:index|function) |.*: \d+ differences from ")
    run_sql(migrated, "\n".join(line for line in found.stdout.splitlines() if not about.match(line)))

    assert found.code == 6
    assert "\\n" not in found.stdout
    assert find_drift(migrated) == []


def test_a_revision_inserted_below_the_applied_head_is_drift(migrated: Project) -> None:
    """F05: it would never run, and what it makes is missing."""
    write_revision(migrated, "aaaa00000001", "op.execute('create table never (n integer)')", down=INITIAL)
    file = next((migrated.path / "migrations/alembic/versions").glob(f"*_{TIMEZONE}_*.py"))
    file.write_text(file.read_text().replace(f'"{INITIAL}"', '"aaaa00000001"'))
    nothing = migrated.invoke("migrate")

    found = find_drift(migrated)
    mend(migrated, found)

    assert "nothing to do" in nothing.stdout
    assert [(each["kind"], each["object"], each["difference"], each["statement"]) for each in found] == [
        ("table", "public.never", "missing", "CREATE TABLE public.never (n integer);")
    ]
    assert find_drift(migrated) == []


def test_several_current_heads_are_built_and_pending_revisions_are_said_and_are_no_drift(migrated: Project) -> None:
    for id_ in ("aaaa00000001", "bbbb00000001"):
        write_revision(migrated, id_, f"op.execute('create table of_{id_} (n integer)')")
    assert migrated.invoke("migrate", "--target", "heads").code == 0
    write_revision(migrated, "cccc00000001", "op.execute('create table later (n integer)')", down="bbbb00000001")
    at_first = migrated.invoke("check", "--drift")
    query(migrated, "drop table of_bbbb00000001")

    found = find_drift(migrated)

    assert at_first.code == 0, at_first.stdout
    assert at_first.stdout.splitlines()[0] == "pending, which is no drift: cccc00000001"
    assert ": as aaaa00000001, bbbb00000001 builds it" in at_first.stdout
    assert [(each["object"], each["difference"]) for each in found] == [("public.of_bbbb00000001", "missing")]


def test_what_cannot_be_compared_is_refused(migrated: Project) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('create extension no_such_thing')")
    both = migrated.invoke("check", "--drift", "--heads")
    query(migrated, "update alembic_version set version_num = 'aaaa00000001'")
    unbuildable = migrated.invoke("check", "--drift")
    query(migrated, "update alembic_version set version_num = 'fadedfadedfa'")
    unknown = migrated.invoke("check", "--drift")
    query(migrated, "drop table alembic_version")
    unversioned = migrated.invoke("check", "--drift")

    assert (both.code, unbuildable.code, unknown.code, unversioned.code) == (2, 3, 3, 3)
    assert "`invoke check --drift`, or `invoke check --heads`" in both.stderr
    assert "aaaa00000001 cannot be built in a scratch database on the same server: " in unbuildable.stderr
    assert "no_such_thing" in unbuildable.stderr
    assert "fadedfadedfa, which has no file here" in unknown.stderr
    assert "has tables and no version table" in unversioned.stderr
    assert query(migrated, SCRATCH) == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_the_scratch_database_is_dropped_when_it_is_interrupted(migrated: Project, number: int) -> None:
    write_revision(migrated, "aaaa00000001", "op.execute('select pg_sleep(8)')")
    query(migrated, "update alembic_version set version_num = 'aaaa00000001'")
    process = launch(migrated, "check", "--drift")
    until(lambda: query(migrated, "select 1 from pg_stat_activity where query = 'select pg_sleep(8)'"))

    stopped = interrupt(process, number)

    assert stopped.code == 130
    assert "interrupted while that revision was built; nothing was touched" in stopped.stderr
    assert query(migrated, SCRATCH) == [(0,)]
    assert running(migrated, "pg_sleep") == 0


def test_a_role_that_may_not_create_databases_builds_on_the_embedded_server(migrated: Project) -> None:
    """Where that one cannot run, it is said, with what would help."""
    query(migrated, "alter table users add column by_hand text")
    database = database_of(migrated)
    role = f"plain_{database.name}"
    query(migrated, f"create role {role} login")
    query(migrated, f"grant select on alembic_version to {role}")
    env = {"DATABASE_URL": database.url.replace("postgres@", f"{role}@")}

    done = migrated.invoke("check", "--drift", env=env)
    nowhere = migrated.invoke("check", "--drift", env={**env, "STILLROOM_PG_BIN": str(migrated.path)})

    assert done.code == 6, done.stderr
    assert done.stdout.splitlines()[0] == "column public.users.by_hand: not from the history"
    assert "1 difference from " in done.stdout
    assert "built in a scratch database on the embedded PostgreSQL 18" in done.stdout
    assert nowhere.code == 3
    assert (
        "the role may not create a scratch database there, and the embedded server cannot run here: " in nowhere.stderr
    )
    assert f'hint:  let the role create databases: `ALTER ROLE "{role}" CREATEDB;`' in nowhere.stderr
    database.drop()
    database.server.execute(f"drop role {role}")


def test_a_lost_version_row_is_refused_and_a_database_at_base_is_not(migrated: Project) -> None:
    """F14: at base every table would be one to drop."""
    query(migrated, "truncate alembic_version")
    lost = migrated.invoke("check", "--drift")
    query(migrated, "insert into alembic_version values (%s)", HEAD)
    migrated.invoke("rollback", "--target", "base", "--yes")
    query(migrated, "create table theirs ()")
    base = migrated.invoke("check", "--drift")

    assert lost.code == 3, lost.stdout
    assert "DROP TABLE" not in lost.stdout
    assert "no revision is applied, and tables that the pending revisions make are there: " in lost.stderr
    assert "`invoke migrate` finds out which revision" in lost.stderr
    assert base.code == 6, base.stderr
    assert "theirs" in base.stdout
