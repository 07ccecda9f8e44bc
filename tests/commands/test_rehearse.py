"""`rehearse`: what is pending, run on a copy, measured, undone, and run again."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.commands.backing import make_backup
from tests.commands.support import (
    HEAD,
    answer,
    current,
    database_of,
    finish,
    interrupt,
    launch,
    query,
    until,
    write_revision,
)
from tests.servers import Project

NEXT, AFTER = "aaaa00000001", "aaaa00000002"
ADD = "op.execute('alter table users add column nickname text')"
TAKE = "op.execute('alter table users drop column nickname')"
FILL = "insert into users (email, display_name) select 'a' || i || '@example.com', 'x' from generate_series(1, 2000) i"
EMPTY = "--without-data"


def rehearsed(project: Project, *flags: str) -> dict[str, Any]:
    """Rehearse, and return the numbers."""
    done = project.invoke("rehearse", "--json", *flags)
    assert done.code == 0, done.stdout
    found: dict[str, Any] = answer(done.stdout)["result"]["rehearsal"]
    assert current(project) == [HEAD]
    return found


def failed(project: Project, *flags: str) -> str:
    """Rehearse what fails on the copy, and return what is said."""
    done = project.invoke("rehearse", *flags)
    assert done.code == 6, done.stderr
    assert "was not touched" in done.stderr
    assert current(project) == [HEAD]
    return done.stderr


@pytest.fixture
def filled(migrated: Project) -> Project:
    """A project with rows in its database."""
    query(migrated, FILL)
    return migrated


def test_it_goes_up_and_down_and_up_again(migrated: Project) -> None:
    write_revision(migrated, NEXT, ADD, downgrade=TAKE)

    done = migrated.invoke("rehearse", "--without-data")

    assert done.code == 0, done.stderr
    assert "downgrade: the schema is as it was" in done.stdout
    assert "upgrade again: " in done.stdout
    last = done.stdout.splitlines()[-1]
    assert "rehearsed 1 revision on a copy with 0 rows" in last
    assert "would work; public.users is locked ACCESS EXCLUSIVE for " in last
    assert current(migrated) == [HEAD]


def test_nothing_pending_is_nothing_to_rehearse(migrated: Project) -> None:
    done = migrated.invoke("rehearse")

    assert done.code == 0
    assert done.stdout.endswith(f"nothing to rehearse, at {HEAD}\n")


def test_a_lock_counts_from_its_statement_to_the_commit(migrated: Project) -> None:
    write_revision(migrated, NEXT, f"op.execute('select pg_sleep(0.3)')\n{ADD}\nop.execute('select pg_sleep(0.6)')")

    (step,) = rehearsed(migrated, EMPTY)["steps"]

    (lock,) = [each for each in step["locks"] if each["table"] == "public.users"]
    assert (lock["mode"], lock["is_sampled"]) == ("ACCESS EXCLUSIVE", False)
    assert 0.6 <= lock["seconds"] < 0.85
    assert step["seconds"] >= 0.9
    assert (step["statement_count"], step["statements"][0]["text"]) == (3, "select pg_sleep(?)")


def test_outside_of_a_transaction_locks_are_sampled_from_beside(migrated: Project) -> None:
    query(migrated, FILL.replace("2000", "20"))
    query(
        migrated,
        "create function slowly(text) returns text immutable language sql as $$ select $1 from pg_sleep(0.02) $$",
    )
    build = "op.execute('create index concurrently slow on users (slowly(email))')"
    write_revision(migrated, NEXT, f"with op.get_context().autocommit_block():\n    {build}")

    (step,) = rehearsed(migrated)["steps"]

    (lock,) = step["locks"]
    assert (lock["table"], lock["mode"], lock["is_sampled"]) == ("public.users", "SHARE UPDATE EXCLUSIVE", True)
    assert lock["seconds"] > 0.2


@pytest.mark.parametrize("block", ["{0}", "with op.get_context().autocommit_block():\n    {0}"], ids=["in", "outside"])
def test_a_table_that_is_written_anew_is_named_with_its_size(filled: Project, block: str) -> None:
    retype = "op.execute('alter table users alter column display_name type char(100)')"
    write_revision(filled, NEXT, block.format(retype))

    (step,) = rehearsed(filled)["steps"]

    assert [each["table"] for each in step["rewrites"]] == ["public.users"]
    assert step["rewrites"][0]["size_bytes"] > 200_000


def test_rows_are_counted_also_those_that_a_block_or_a_cursor_of_the_driver_changes(filled: Project) -> None:
    raw = "op.get_bind().connection.cursor().execute(\"update users set display_name = 'y' where email in ('a5@example.com', 'a6@example.com')\")"
    block = "op.execute(\"do $$ begin delete from users where email = 'a1@example.com'; end $$\")"
    again = f"op.execute({FILL.replace('@', '+2@')!r})"
    back = "op.execute(\"delete from users where email like '%+2@%'\")"
    write_revision(filled, NEXT, f"{raw}\n{block}\n{again}", downgrade=back)

    (step,) = rehearsed(filled)["steps"]

    assert step["rows"] == [{"table": "public.users", "inserted": 2000, "updated": 2, "deleted": 1}]


def test_a_backfill_counts_as_one_statement_with_its_rows(filled: Project) -> None:
    fill = "from stillroom import backfill\nbackfill('users', \"display_name = 'y'\", rows=100)"
    write_revision(filled, NEXT, fill)

    (step,) = rehearsed(filled)["steps"]

    assert [(each["text"], each["rows"]) for each in step["statements"]] == [
        ('UPDATE "users" SET display_name = ? WHERE true', 2000)
    ]
    assert [(each["table"], each["mode"]) for each in step["locks"]] == [("public.users", "ROW EXCLUSIVE")]


def test_temporary_files_and_wal_are_measured(migrated: Project) -> None:
    spill = "create table big as select i from generate_series(1, 300000) i order by random()"
    write_revision(
        migrated,
        NEXT,
        f"op.execute('set local work_mem = 64')\nop.execute({spill!r})",
        downgrade="op.drop_table('big')",
    )

    (step,) = rehearsed(migrated, EMPTY)["steps"]

    assert step["temp_bytes"] > 1_000_000
    assert step["wal_bytes"] > 5_000_000


def test_a_constraint_that_is_left_not_valid_is_said(migrated: Project) -> None:
    check = "alter table users add constraint short check (length(display_name) < 99) not valid"
    write_revision(migrated, NEXT, f"op.execute({check!r})", downgrade="op.drop_constraint('short', 'users')")

    assert rehearsed(migrated, EMPTY)["not_validated"] == ["short on public.users"]


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("alter table users alter column display_name set not null", "; 1 row stands against it"),
        ("alter table users add constraint few check (email not like 'a2%')", "; 112 rows stand against it"),
        ("create unique index once on users (display_name)", "; 1,999 rows stand against it"),
        (
            "alter table users add constraint own foreign key (id) references conversations (id)",
            "; 2,000 rows stand against it",
        ),
    ],
    ids=["not null", "check", "unique", "foreign key"],
)
def test_a_constraint_that_rows_stand_against_fails_with_their_number(
    filled: Project, statement: str, count: str
) -> None:
    query(filled, "alter table users alter column display_name drop not null")
    query(filled, "update users set display_name = null where email = 'a1@example.com'")
    write_revision(filled, NEXT, f"op.execute({statement!r})")

    said = failed(filled)

    assert f"the rehearsal failed on a scratch database on the same server: {NEXT} failed at line 11: " in said
    assert count in said


def test_an_invalid_index_that_a_build_leaves_fails(filled: Project) -> None:
    build = "op.execute('create unique index concurrently once on users (display_name)')"
    write_revision(filled, NEXT, f"with op.get_context().autocommit_block():\n    {build}")

    assert "it left the invalid index public.once" in failed(filled)


def test_a_downgrade_that_leads_to_another_schema_is_said_and_stops_nothing(migrated: Project) -> None:
    write_revision(migrated, NEXT, ADD, downgrade="pass")

    done = migrated.invoke("rehearse", EMPTY)

    assert done.code == 0, done.stderr
    assert "downgrade: the schema is not as it was" in done.stdout
    assert "  column public.users.nickname: left behind" in done.stdout
    assert "upgrade again: the second upgrade of the rehearsal, after its downgrade, failed" in done.stdout
    assert "would work" in done.stdout.splitlines()[-1]


def test_a_downgrade_that_raises_is_said_and_stops_nothing(migrated: Project) -> None:
    write_revision(migrated, NEXT, ADD, downgrade="raise NotImplementedError('one way')")

    back = rehearsed(migrated, EMPTY)["back"]

    assert back["outcome"] == "failed"
    assert "NotImplementedError: one way" in back["detail"]


def test_an_upgrade_that_fails_the_second_time_after_a_downgrade_to_the_same_schema_fails(migrated: Project) -> None:
    write_revision(migrated, NEXT, f"op.execute({FILL!r})", downgrade="pass")

    said = failed(migrated, EMPTY)

    assert "the second upgrade of the rehearsal, after its downgrade, failed" in said
    assert "duplicate key" in said
    assert "--no-rehearse" in said


def test_a_revision_that_leaves_the_process_fails(migrated: Project) -> None:
    write_revision(migrated, NEXT, "import os; os._exit(3)")

    assert "the process that ran the rehearsal left the process with exit code 3" in failed(migrated, EMPTY)


def test_a_revision_that_hangs_is_stopped(migrated: Project) -> None:
    write_revision(migrated, NEXT, "while True: pass")
    migrated.environment |= {"STILLROOM_STATEMENT_TIMEOUT_MS": "100", "STILLROOM_LOCK_TIMEOUT_MS": "50"}

    said = failed(migrated, EMPTY)

    assert "no statement began or ended for 10 s, so it was stopped: the rehearsal was interrupted" in said


def test_effects_on_the_whole_server_may_happen_on_one_of_the_projects_own_and_leave_no_role(project: Project) -> None:
    assert project.invoke("migrate").code == 0
    write_revision(
        project, NEXT, "op.execute('create role rehearsed_only')", downgrade="op.execute('drop role rehearsed_only')"
    )

    codes = [project.invoke("rehearse", "--without-data").code for _ in range(2)]
    done = project.invoke("rehearse", "--without-data", "--json")

    assert codes == [0, 0]
    assert answer(done.stdout)["result"]["rehearsal"]["cluster_wide"] == ["CREATE ROLE", "DROP ROLE"]


def test_literals_are_hidden_in_what_is_shown(migrated: Project) -> None:
    write_revision(migrated, NEXT, "op.execute(\"update users set display_name = 'geheim' where email = 'u4711'\")")

    done = migrated.invoke("rehearse", EMPTY, "--json")

    assert "geheim" not in done.stdout + done.stderr
    assert "u4711" not in done.stdout
    assert json.loads(done.stdout)["result"]["rehearsal"]["steps"][0]["statements"][0]["rows"] == 0


def test_two_kinds_of_copies_at_once_are_refused(migrated: Project) -> None:
    done = migrated.invoke("rehearse", "--without-data", "--from", "x")

    assert done.code == 2
    assert "--from and --without-data are two copies" in done.stderr


@pytest.mark.parametrize("upgrade", ["op.execute('select 1')", "op.execute('select 1 / 0')"], ids=["works", "fails"])
def test_the_copy_is_dropped(filled: Project, upgrade: str) -> None:
    write_revision(filled, NEXT, upgrade)
    before = all_databases(filled)

    filled.invoke("rehearse")

    assert all_databases(filled) <= before


def test_a_copy_that_a_kill_left_is_dropped_by_the_next_run(filled: Project) -> None:
    """F106: the database that is copied is as it was."""
    upgrade = "op.execute('select pg_sleep(60)')"
    path = write_revision(filled, NEXT, upgrade)
    rows, before = hash_of_rows(filled), all_databases(filled)
    process = launch(filled, "rehearse")
    until(lambda: all_running(filled, "pg_sleep(60)"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("utf-8").split()
    for pid in (process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    finish(process)
    until(lambda: not all_running(filled, "pg_sleep(60)"))
    left = all_databases(filled) - before
    (filled.path / path).write_text((filled.path / path).read_text().replace(upgrade, "pass"))

    done = filled.invoke("rehearse")

    assert len(left) == 1
    assert done.code == 0, done.stderr
    assert f"dropped {left.pop()}, which an interrupted run had left" in done.stderr
    assert all_databases(filled) <= before
    assert hash_of_rows(filled) == rows


@pytest.mark.parametrize("task", ["rehearse", "backup-then-migrate"])
def test_a_copy_that_a_revision_left_by_leaving_the_process_is_dropped_at_once(filled: Project, task: str) -> None:
    write_revision(filled, NEXT, "import os; os._exit(9)")
    before = all_databases(filled)

    done = filled.invoke(task)

    assert done.code == 6, done.stderr
    assert "which an interrupted run had left" in done.stderr
    assert all_databases(filled) <= before


def test_an_interruption_drops_the_copy(filled: Project) -> None:
    write_revision(filled, NEXT, "op.execute('select pg_sleep(60)')")
    before = all_databases(filled)
    process = launch(filled, "rehearse")
    until(lambda: all_running(filled, "pg_sleep(60)"))

    stopped = interrupt(process)

    assert stopped.code == 130
    assert "the rehearsal was interrupted in aaaa00000001: it was rolled back" in stopped.stderr
    assert "was not touched" in stopped.stderr
    assert all_databases(filled) <= before


@pytest.mark.parametrize(
    "statement",
    [
        "op.execute('create role rehearsed_never')",
        "op.get_bind().connection.cursor().execute('create role rehearsed_never')",
        "op.execute('select 1; create role rehearsed_never')",
        "try: op.execute('do $$ begin create role rehearsed_never; end $$')\nexcept Exception: pass",
    ],
    ids=["by Alembic", "by the driver", "the second of two", "passed over"],
)
def test_an_effect_on_a_server_that_others_use_is_refused_before_it_is_sent(migrated: Project, statement: str) -> None:
    write_revision(migrated, NEXT, statement)

    done = migrated.invoke("rehearse")

    assert done.code == 3, done.stderr
    assert f"{NEXT}: CREATE ROLE reaches past a scratch database on the same server, which others use" in done.stderr
    assert "--no-rehearse" in done.stderr
    assert query(migrated, "select count(*) from pg_roles where rolname = 'rehearsed_never'") == [(0,)]


def test_a_write_to_a_foreign_table_is_refused_because_its_rows_are_no_copy(migrated: Project) -> None:
    name = database_of(migrated).name
    query(migrated, "create extension postgres_fdw; create table kept (id int); insert into kept values (1)")
    query(migrated, f"create server itself foreign data wrapper postgres_fdw options (dbname '{name}')")
    query(migrated, "create user mapping for current_user server itself options (password_required 'false')")
    query(migrated, "create foreign table there (id int) server itself options (table_name 'kept')")
    write_revision(migrated, NEXT, "op.execute('delete from there')")

    done = migrated.invoke("rehearse")

    assert done.code == 3, done.stderr
    assert "DELETE of the foreign table there reaches past a scratch database on the same server" in done.stderr
    assert query(migrated, "select count(*) from kept") == [(1,)]


def test_a_backup_is_rehearsed_on_from_where_it_was(filled: Project) -> None:
    name = make_backup(filled)
    query(filled, "delete from users")
    write_revision(filled, NEXT, "op.execute('update users set display_name = email')")

    found = rehearsed(filled, "--from", name)

    assert found["rows"] == 2000
    assert found["steps"][0]["rows"] == [{"table": "public.users", "inserted": 0, "updated": 2000, "deleted": 0}]


def test_an_unknown_backup_is_refused(migrated: Project) -> None:
    write_revision(migrated, NEXT, ADD)

    done = migrated.invoke("rehearse", "--from", "yesterday")

    assert done.code == 3
    assert "yesterday" in done.stderr


@pytest.mark.parametrize("flags", [[], [EMPTY]], ids=["fresh", "without data"])
def test_a_role_that_may_not_create_databases_rehearses_on_the_embedded_server(
    filled: Project, flags: list[str]
) -> None:
    write_revision(filled, NEXT, ADD)
    role = f"few_{database_of(filled).name}"
    query(filled, f"create role {role} login; grant all on all tables in schema public to {role}")
    query(filled, f"grant usage, create on schema public, stillroom to {role}; grant pg_read_all_data to {role}")
    try:
        done = filled.invoke(
            "rehearse", *flags, env={"DATABASE_URL": database_of(filled).url.replace("postgres@", f"{role}@")}
        )
        assert done.code == 0, done.stderr
        assert "on the embedded PostgreSQL" in done.stderr
    finally:
        query(filled, f"drop owned by {role}; drop role {role}")


def all_databases(project: Project) -> set[str]:
    """The scratch databases of the server, whoever made them."""
    found = query(project, "select datname from pg_database where datname like 'stillroom\\_scratch\\_%%'")
    return {name for (name,) in found}


def all_running(project: Project, fragment: str) -> int:
    """Count the sessions of the server, of any database, that run a statement with these words right now."""
    asked = "select count(*) from pg_stat_activity where pid <> pg_backend_pid() and state = 'active' and query like %s"
    return int(query(project, asked, f"%{fragment}%")[0][0])


def hash_of_rows(project: Project) -> list[tuple[Any, ...]]:
    """One sum over all users."""
    return query(project, "select count(*), sum(hashtextextended(users::text, 0)) from users")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into through values (2)",
        "insert into spread values (2)",
        "do $$ begin execute 'insert into there values (2)'; end $$",
        "create table taken as with new as (insert into there values (2) returning id) select * from new",
        "truncate spread",
    ],
)
def test_no_way_leads_from_the_copy_to_another_server(migrated: Project, statement: str) -> None:
    """F106: views, partitions, DO blocks and whatever else a classifier of statements does not see."""
    name, socket = database_of(migrated).name, database_of(migrated).server.socket
    query(
        migrated,
        f"""create extension if not exists postgres_fdw; create table kept (id int); insert into kept values (1);
            create server itself foreign data wrapper postgres_fdw options (dbname '{name}', host '{socket}');
            create user mapping for postgres server itself options (user 'postgres');
            create foreign table there (id int) server itself options (table_name 'kept'); create view through as select * from there;
            create table spread (id int) partition by range (id);
            create foreign table part partition of spread for values from (0) to (9) server itself options (table_name 'kept')""",
    )
    write_revision(
        migrated, "aaaa0000f00d", f"op.execute({statement!r})", downgrade="op.execute('drop table if exists taken')"
    )

    done = migrated.invoke("rehearse")

    assert done.code in {3, 6}, done.stderr
    assert query(migrated, "select id from kept") == [(1,)]


def test_settings_of_the_database_are_those_of_the_copy(migrated: Project) -> None:
    query(migrated, f"alter database {database_of(migrated).name} set app.tenant = '7'")
    query(
        migrated,
        "create table ours (i int check (i = current_setting('app.tenant')::int)); insert into ours values (7)",
    )
    body = "op.execute(\"insert into ours values (current_setting('app.tenant')::int)\")"
    write_revision(migrated, "aaaa0000f00d", body, downgrade="op.execute('delete from ours where i = 7')")

    done = migrated.invoke("rehearse")

    assert done.code == 0, done.stderr
