"""`backup-then-migrate`: the copy first, then the revisions, under one lock."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.commands.backing import LASTING, folder, manifest, names, tools_instead
from tests.commands.support import (
    HEAD,
    TIMEZONE,
    add_user,
    answer,
    current,
    database_of,
    finish,
    has_table,
    holding_lock,
    interrupt,
    launch,
    query,
    running,
    set_mark,
    until,
    write_revision,
)
from tests.commands.test_restore_failures import as_role
from tests.servers import Project

NEXT, AFTER = "aaaa00000001", "aaaa00000002"
AT_ONCE = 8


@pytest.fixture
def pending(migrated: Project) -> Project:
    """A project with one revision to run."""
    write_revision(migrated, NEXT, "op.create_table('extra', sa.Column('id', sa.Integer))")
    return migrated


def test_it_backs_up_and_then_migrates(pending: Project) -> None:
    add_user(pending)

    done = pending.invoke("backup-then-migrate")

    (name,) = names(pending)
    first, second, _, last = done.stdout.splitlines()
    assert done.code == 0, done.stderr
    assert first.startswith(f"{name}: ")
    assert second == f"the way back: `invoke restore {name}`"
    assert "1 revision applied" in last
    assert manifest(pending, name)["revisions"] == [HEAD]
    assert current(pending) == [NEXT]


def test_where_nothing_is_pending_there_is_no_backup_and_no_lock(migrated: Project) -> None:
    with holding_lock(migrated):
        done = migrated.invoke("backup-then-migrate", env={"STILLROOM_WAIT_S": "0"})

    assert done.code == 0
    assert "nothing to do, at " in done.stdout
    assert not folder(migrated).exists()


def test_twice_is_the_same_as_once(pending: Project) -> None:
    codes = [pending.invoke("backup-then-migrate").code for _ in range(2)]

    assert codes == [0, 0]
    assert len(names(pending)) == 1


def test_an_empty_database_has_nothing_to_protect(project_on_database: Project) -> None:
    done = project_on_database.invoke("backup-then-migrate")

    assert done.code == 0, done.stderr
    assert "has no tables: nothing to protect, so no backup is made" in done.stderr
    assert current(project_on_database) == [HEAD]
    assert not folder(project_on_database).exists()


def test_a_target_is_where_it_ends(pending: Project) -> None:
    write_revision(pending, AFTER, "op.create_table('more', sa.Column('id', sa.Integer))", down=NEXT)

    done = pending.invoke("backup-then-migrate", "--target", NEXT)

    assert done.code == 0, done.stderr
    assert current(pending) == [NEXT]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_its_plan_changes_nothing(pending: Project, flags: list[str]) -> None:
    done = pending.invoke("backup-then-migrate", "--plan", *flags)

    assert done.code == 0, done.stderr
    assert "CREATE TABLE extra" in done.stdout
    if not flags:
        assert done.stdout.startswith(f"-- a backup would be made first, in {folder(pending)}\n")
    assert current(pending) == [HEAD]
    assert not folder(pending).exists()


def test_the_plan_of_an_empty_database_says_that_there_is_nothing_to_protect(project_on_database: Project) -> None:
    done = project_on_database.invoke("backup-then-migrate", "--plan", "--target", TIMEZONE)

    assert done.code == 0, done.stderr
    assert done.stdout.startswith("-- no backup: the database has no tables, nothing to protect\n")


def test_a_backup_that_fails_stops_before_the_first_revision(pending: Project) -> None:
    tools_instead(pending, dump="exit 1")

    done = pending.invoke("backup-then-migrate")

    assert done.code == 5
    assert "pg_dump (exit 1)" in done.stderr
    assert "invoke restore" not in done.stderr
    assert current(pending) == [HEAD]
    assert names(pending) == []


@pytest.mark.parametrize(("mark", "flag"), [("development", ""), ("production", " --allow swap")])
def test_a_revision_that_fails_says_the_way_back(pending: Project, mark: str, flag: str) -> None:
    write_revision(pending, AFTER, "op.execute('select 1 / 0')", down=NEXT)
    set_mark(pending, mark)
    pending.environment |= {"APP_ENV": mark, **LASTING}

    done = pending.invoke("backup-then-migrate", "--no-rehearse")

    (name,) = names(pending)
    assert done.code == 4
    assert "1 of 2 applied" in done.stderr
    assert f" UTC: `invoke restore {name}{flag}` (" in done.stderr
    assert "written since: public.extra is new" in done.stderr
    back = pending.invoke("restore", name, *(flag.split() or ["--yes"]))
    assert back.code == 0, back.stderr
    assert current(pending) == [HEAD]
    assert not has_table(pending, "extra")


def test_a_revision_that_ends_the_process_says_the_way_back(pending: Project) -> None:
    write_revision(pending, AFTER, "import os; os._exit(9)", down=NEXT)

    done = pending.invoke("backup-then-migrate", "--no-rehearse")

    (name,) = names(pending)
    assert done.code == 4
    assert f"`invoke restore {name}`" in done.stderr


def test_the_snapshot_is_closed_before_an_index_is_built_concurrently(migrated: Project) -> None:
    build = (
        "with op.get_context().autocommit_block():\n    op.execute('create index concurrently slow on users (email)')"
    )
    write_revision(migrated, NEXT, build)

    done = migrated.invoke("backup-then-migrate", timeout=30)

    assert done.code == 0, done.stderr
    assert query(migrated, "select indisvalid from pg_index where indexrelid = 'slow'::regclass") == [(True,)]


def test_eight_at_once_make_one_backup_and_one_migration(pending: Project) -> None:
    ended = [finish(process, 120) for process in [launch(pending, "backup-then-migrate") for _ in range(AT_ONCE)]]

    assert [code for code, _, _ in ended] == [0] * AT_ONCE, [stderr for _, _, stderr in ended]
    assert sum("nothing to do" in stdout for _, stdout, _ in ended) == AT_ONCE - 1
    assert sum(stderr.count(f"+ {NEXT}") for _, _, stderr in ended) == 1
    assert len(names(pending)) == 1
    assert current(pending) == [NEXT]


def test_it_gives_up_when_the_wait_for_another_migration_runs_out(pending: Project) -> None:
    with holding_lock(pending):
        done = pending.invoke("backup-then-migrate", "--wait-s", "0.2")

    assert done.code == 7
    assert names(pending) == []


def test_an_interruption_during_the_dump_starts_no_revision(pending: Project) -> None:
    marker = pending.path.parent / "started"
    tools_instead(pending, dump=f'echo $$ > "{marker}"; exec sleep 60')
    process = launch(pending, "backup-then-migrate")
    until(lambda: marker.exists() and marker.read_text())

    stopped = interrupt(process)

    assert stopped.code == 130
    assert "interrupted; no backup was made" in stopped.stderr
    assert names(pending) == []
    assert current(pending) == [HEAD]
    assert not Path("/proc", marker.read_text().strip()).exists()


def test_an_interruption_during_a_revision_says_the_way_back(pending: Project) -> None:
    write_revision(pending, AFTER, "op.execute('select pg_sleep(60)')", down=NEXT)
    process = launch(pending, "backup-then-migrate", "--no-rehearse")
    until(lambda: running(pending, "pg_sleep(60)"))

    stopped = interrupt(process, signal.SIGTERM)

    (name,) = names(pending)
    assert stopped.code == 130
    assert f"`invoke restore {name}`" in stopped.stderr
    assert current(pending) == [NEXT]


def test_a_killed_run_leaves_the_backup_and_a_known_state(pending: Project) -> None:
    write_revision(pending, AFTER, "op.execute('select pg_sleep(60)')", down=NEXT)
    process = launch(pending, "backup-then-migrate", "--no-rehearse")
    until(lambda: running(pending, "pg_sleep(60)"))

    os.kill(process.pid, signal.SIGKILL)
    finish(process)
    until(lambda: not running(pending, "pg_sleep(60)"))

    (name,) = names(pending)
    assert manifest(pending, name)["revisions"] == [HEAD]
    assert current(pending) == [NEXT]


def test_json_is_one_object(pending: Project) -> None:
    result = answer(pending.invoke("backup-then-migrate", "--json").stdout)["result"]

    (name,) = names(pending)
    assert result["backup"]["name"] == name
    assert result["restore"] == f"invoke restore {name}"
    assert [each["revision"] for each in result["migrated"]["applied"]] == [NEXT]


def test_a_failure_says_what_others_wrote_since_the_backup(pending: Project) -> None:
    """F90."""
    add_user(pending)
    others = "from sqlalchemy import text; import os; import psycopg2; c = psycopg2.connect(os.environ['OTHERS']); c.autocommit = True"
    write_revision(
        pending,
        "aaaa0000bbbb",
        f"""{others}
c.cursor().execute("insert into users (email, display_name) values ('b@example.com', 'B'); update users set display_name = 'C'")
op.execute("select 1 / 0")""",
        down=NEXT,
    )
    pending.environment["OTHERS"] = (
        f"host={database_of(pending).server.socket} user=postgres dbname={database_of(pending).name}"
    )

    done = pending.invoke("backup-then-migrate", "--no-rehearse")

    assert done.code == 4, done.stderr
    assert "it was rolled back" in done.stderr
    assert "; public.users 2 rows new or changed, 1 row of the backup changed or deleted" in done.stderr


def test_a_role_that_may_create_no_database_gets_a_way_back_that_it_can_go(migrated: Project) -> None:
    role = as_role(migrated)
    write_revision(migrated, "aaaa0000bbbb", "op.execute('select 1 / 0')")
    restored = f"{database_of(migrated).name}_restored"

    done = migrated.invoke("backup-then-migrate", "--no-rehearse")

    (name,) = names(migrated)
    assert done.code == 4, done.stderr
    assert f" UTC: `invoke restore {name} --into {restored}` (" in done.stderr
    refused = migrated.invoke("restore", name, "--into", restored)
    assert refused.code == 3
    assert f'`CREATE DATABASE "{restored}" OWNER "{role}" TEMPLATE template0;`' in refused.stderr
    database_of(migrated).server.execute(f'create database "{restored}" owner "{role}" template template0')
    back = migrated.invoke("restore", name, "--into", restored)
    assert back.code == 0, back.stderr
    assert back.stdout.splitlines()[-1].endswith(f"make {restored} the name in DATABASE_URL")
